"""The video: a published clip, who may see it, and what it was remixed from."""
