"""Contacts of a file: names become addresses."""
