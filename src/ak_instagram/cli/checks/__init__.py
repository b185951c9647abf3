"""Commands that look whether something is right, and change nothing."""
