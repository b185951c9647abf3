"""Delivery: a piece goes out once, within what Meta allows."""
