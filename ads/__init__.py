"""The ads: which ads, and where between the videos. Reorders no video."""
