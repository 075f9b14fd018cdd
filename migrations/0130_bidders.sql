-- The outside bidder of a line item, which is asked by HTTP what it bids for one viewer (feed/outside_bids.py);
-- null: the line item bids the same for each.
ALTER TABLE line_items ADD COLUMN bidder text;
