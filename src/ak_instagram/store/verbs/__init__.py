"""The store's verbs, a module for each thing that is done: plain SQL on one transaction."""
