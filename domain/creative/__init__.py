"""Creatives: the videos that are shown as ads, and how they are reviewed."""
