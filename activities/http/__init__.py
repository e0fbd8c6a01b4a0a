"""HTTP as this service speaks it: with bounds, and with errors of its own."""
