"""A page of the feed: which videos one viewer is shown, and how the pages follow one another."""
