"""What is seen in finished frames: small statistics of each, and what is wrong with them."""
