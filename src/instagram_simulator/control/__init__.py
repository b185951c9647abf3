"""The control API under `/_sim/`: people, messages, and everything that can go wrong."""
