"""The comment: what somebody wrote under a video."""
