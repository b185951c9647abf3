"""The store on PostgreSQL: several replicas, each with its own pool and listener."""
