-- ad_preferences: what people said of the ads that they are shown (projections/ad_preferences.py)
CREATE TABLE ad_preferences (
    account_id         uuid    NOT NULL PRIMARY KEY,
    contextual_only    boolean NOT NULL DEFAULT false,
    hidden_advertisers uuid[]  NOT NULL DEFAULT '{}',
    hidden_categories  text[]  NOT NULL DEFAULT '{}',
    position           bigint  NOT NULL
);
CREATE INDEX ad_preferences_position ON ad_preferences (position);
