"""Line items: what is bid for which viewers, when, and how much is spent at most."""
