"""Importers: what other places recorded, as our own events and deeds."""
