"""The fake Graph API: calls in, answers and world changes out."""
