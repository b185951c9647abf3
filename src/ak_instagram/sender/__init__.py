"""The way out: an answer is planned as pieces, and each piece goes to the Graph API once."""
