"""Doubles of what is somebody else's, as tests use them."""
