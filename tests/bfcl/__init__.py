"""Conformance with the Berkeley Function-Calling Leaderboard's data, as the `bfcl-eval` wheel has it (Apache-2.0)."""
