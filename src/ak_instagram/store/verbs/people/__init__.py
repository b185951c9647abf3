"""The verbs about people's own wishes and data: what is kept of them, and what they want."""
