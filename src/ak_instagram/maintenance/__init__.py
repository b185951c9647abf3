"""Background maintenance: retention and backlog metrics."""
