"""The payer: an advertiser as the payment rail knows them, and the card they keep on file."""
