"""The agents that can answer: the contract, one adapter a file, and the registry that picks one."""
