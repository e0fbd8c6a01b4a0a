"""The desk: one page for people, over the same operations as the door."""
