"""The store's verbs: plain functions of a transaction, a module for each thing that is done."""
