"""Outbound: messages that nobody was asked for, as an operator or a program sends them."""
