"""A steady stream of messages at a fixed rate: how long each waits, and that each is answered."""
