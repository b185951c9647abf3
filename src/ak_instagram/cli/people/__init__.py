"""Commands about people, their conversations, and what got no answer."""
