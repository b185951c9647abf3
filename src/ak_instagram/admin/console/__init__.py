"""The console: the admin's pages, rendered here, with nothing loaded from elsewhere."""
