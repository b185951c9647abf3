"""Verbs about accounts: their tokens in `rows`, and the logins that connect them."""
