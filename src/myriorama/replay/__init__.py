"""The event streams, replayed for data scientists."""
