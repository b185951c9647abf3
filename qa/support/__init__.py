"""What the tests and the tools beside them share: processes, and a PostgreSQL of their own."""
