"""Tools run as activities: the attempt of a write, its act, and what it returns or raises."""
