"""Commercial grants: which advertiser may show whose cameo."""
