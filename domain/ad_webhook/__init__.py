"""Webhooks of advertisers: where they are told what happens to their ads and money."""
