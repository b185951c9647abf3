"""
The store: events that came in, whose turn it is, and what was sent; durable.

The verbs in `verbs` are plain functions of a transaction, with their statements beside them.
`Store.run` runs them; `batching` and `dispatch` say what shares a webhook's transaction.
`sqlite` and `postgres` are the databases.
"""
