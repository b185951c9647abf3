"""Whose turn it is, what the turn says, and what the agent makes of it."""
