"""Background maintenance: retention, backlog metrics, notifications."""
