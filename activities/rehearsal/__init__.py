"""Rehearsals: stand-ins for writes that are not made, and plans held to the tools and the policy of today."""
