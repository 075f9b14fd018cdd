"""The reaction: what one account made of one video."""
