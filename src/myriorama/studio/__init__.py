"""The studio: from a prompt to a clip with sound, and what foreign media may enter."""
