"""The states of a generation: it waits, it runs, and then it has ended for good."""

LIVE = frozenset({"queued", "dispatched", "running"})
"""Those that wait or run, and so will still end."""

WITHOUT_VIDEO = frozenset({"failed", "refused", "cancelled"})
"""Those that ended without a video, and gave their seconds back."""
