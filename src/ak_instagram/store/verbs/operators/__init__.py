"""Operators' verbs: they find conversations, see what happened in one, and change it, on record."""
