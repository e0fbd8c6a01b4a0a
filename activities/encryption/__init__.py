"""Payloads in Temporal and contents in the ledger, encrypted with keys that neither of the two has."""
