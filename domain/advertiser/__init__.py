"""Advertisers: who pays for ads, in which currency, and whose accounts act for them."""
