"""The fake Graph API: calls come in, answers go out, the world changes."""
