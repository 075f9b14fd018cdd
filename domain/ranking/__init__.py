"""The ranking of the feed: by which policy and model it is done, and what is tried out in it."""
