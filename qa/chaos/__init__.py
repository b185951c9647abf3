"""Processes die, stall and lose their peers at random; then it is counted what became of all."""
