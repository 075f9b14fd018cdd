"""The top-up: money on its way from an advertiser's card into their wallet."""
