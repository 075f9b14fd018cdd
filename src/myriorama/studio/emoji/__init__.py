"""The small model of our own: its world of moving emoji with sound, its training and its judge."""
