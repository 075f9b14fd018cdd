"""The upload: an image, a short video or a voice, private, and usable only once cleared."""
