"""The allowance: how many seconds of video an account may still ask for in a rolling window."""
