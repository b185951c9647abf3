"""The control API under `/_sim/`: people, messages, and what goes wrong."""
