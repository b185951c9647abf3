"""Any JSON endpoint: the request is a template, and settings say how the answer is read."""
