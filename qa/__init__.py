"""Tools that judge the service from outside of it."""
