"""The webhooks: payloads, signed posts, their delivery, and what goes wrong on the way."""
