"""What a person at a terminal sees of a request: its history told as steps, and the steps drawn."""
