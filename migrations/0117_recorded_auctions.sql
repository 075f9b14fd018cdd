-- The auctions of the last day that were recorded whole, which forecasts hold once more
-- (feed/ad_outlook.py): a few of the many pages that have ads.
CREATE INDEX slates_recorded_whole ON slates (recorded_at)
    WHERE (ads #>> '{auction,context,viewer}') IS NOT NULL;
