"""The adapters: one file for each protocol, which says itself what it needs of the settings."""
