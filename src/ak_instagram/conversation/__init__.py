"""Conversations: claimed by a worker, put to the agent as turns, and answered."""
