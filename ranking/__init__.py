"""The ranking: which videos, in which order. Knows no ad and no HTTP."""
