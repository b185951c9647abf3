"""Privacy: Meta's callbacks about people who leave, and the deletions that follow."""
