"""The tokens room: how old each account's token is, and a new one in time."""
