"""The invitation: one code, redeemed once, by which the house grows."""
