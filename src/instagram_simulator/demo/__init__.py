"""The demo: the real service as a process of its own, and a Meta for it to talk to."""
