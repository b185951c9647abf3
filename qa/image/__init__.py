"""The container image, run as in production: it is what it says, may do little, and answers."""
