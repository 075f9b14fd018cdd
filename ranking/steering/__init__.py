"""Steering: what a person says of their feed, understood as rules, and what these do to it."""
