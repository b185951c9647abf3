"""What the service does for itself, again and again: the store forgets, its backlog is measured."""
