"""The SQL table that knows every write before it happens and after."""
