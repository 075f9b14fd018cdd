"""The generation: one request, from a sentence to a draft."""
