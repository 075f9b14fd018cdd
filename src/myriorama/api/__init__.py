"""The HTTP edge: routes, and how errors read on the wire."""
