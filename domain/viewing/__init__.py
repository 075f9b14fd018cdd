"""Viewing: what people watch, as their apps report it."""
