"""Answer Instagram DMs with an AI agent: durable, in order, once."""

__version__ = "0.1.0"
