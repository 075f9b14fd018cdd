-- What the price of an ad is made of (ads/price.py): what the page without it is worth beyond its other
-- ads, what the viewer loses by it, and how likely the viewer comes there. NULL of older ads, and of
-- those elsewhere.
ALTER TABLE ad_decisions
    ADD COLUMN displaced_micros double precision,
    ADD COLUMN viewer_micros double precision,
    ADD COLUMN p_reached double precision;

ALTER TYPE shown_ad
    ADD ATTRIBUTE displaced_micros double precision,
    ADD ATTRIBUTE viewer_micros double precision,
    ADD ATTRIBUTE p_reached double precision;
