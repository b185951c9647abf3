"""Proofs that take their time, and tools that look at the service from outside."""
