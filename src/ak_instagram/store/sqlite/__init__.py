"""The store on an SQLite file: one writer thread, one process."""
