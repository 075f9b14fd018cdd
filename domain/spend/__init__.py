"""What an advertiser's line item has spent: settled batch by batch, credited where it must be."""
