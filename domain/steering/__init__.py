"""Steering: what one account said that its feed should be like."""
