"""The Graph API: its client and calls, and what its codes, errors and versions mean."""
