"""The demo world: what a house looks like when many people live in it."""
