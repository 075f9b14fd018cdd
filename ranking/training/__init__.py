"""Where the models of the ranking are made; nothing here is on the path of a request."""
