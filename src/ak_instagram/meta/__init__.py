"""Meta's words in and out: events, contents, keys, the Graph API's calls, answers and errors."""
