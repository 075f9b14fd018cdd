"""The composition root: the one place where implementations are chosen and joined."""
