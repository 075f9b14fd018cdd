"""Campaigns: what an advertiser wants, from when to when, and for how much at most."""
