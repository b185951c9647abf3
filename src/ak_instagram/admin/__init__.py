"""The admin API and the console: what operators see and steer, behind a token."""
