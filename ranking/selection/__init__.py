"""The selection: which of the scored videos make the slate, in which order, and what chance did."""
