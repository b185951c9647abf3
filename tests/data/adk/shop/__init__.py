"""The app `shop`, as `adk api_server` looks for it."""
