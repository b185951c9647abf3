"""
What the service knows, durably: events that came in, whose turn it is, what was sent.

The verbs are plain functions of a connection (`inbox`, `leases`, `turns`, `ledger`);
`store` offers them to the service. `intake` and `lookout` say what shares a transaction
and when; `sqlite` and `postgres` run it.
"""
