"""The agents that can answer: the contract, the way to them, and the registry of `adapters/`."""
