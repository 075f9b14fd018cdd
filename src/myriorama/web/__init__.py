"""The pages: one shell, the fragments that fill it, and what the browser runs."""
