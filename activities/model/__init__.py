"""The model: what it is asked, and what its replies mean."""
