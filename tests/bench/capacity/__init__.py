"""What requests cost, measured here, and what that means for many of them."""
