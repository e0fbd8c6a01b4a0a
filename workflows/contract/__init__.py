"""The messages that cross a boundary: between a caller and a request, and between the workflow and its activities."""
