"""Replies as endpoints write them, read into text and tool calls."""
