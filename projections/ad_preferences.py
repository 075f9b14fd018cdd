"""Ad preferences: what people said of the ads that they are shown.

Read by them, to show and change it, and by the feed, which keeps to it.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.ad_preferences.events import (
    AdCategoryHidden,
    AdCategoryShownAgain,
    AdPreferencesReset,
    AdvertiserHidden,
    AdvertiserShownAgain,
    ContextualAdsSwitched,
)
from projections.projection import Projection, Recorded

SWITCH = """
    INSERT INTO ad_preferences (account_id, contextual_only, position) VALUES (%s, %s, %s)
    ON CONFLICT (account_id) DO UPDATE
    SET contextual_only = excluded.contextual_only, position = excluded.position
"""

HIDE_ADVERTISER = """
    INSERT INTO ad_preferences AS kept (account_id, hidden_advertisers, position)
    VALUES (%s, ARRAY[%s::uuid], %s)
    ON CONFLICT (account_id) DO UPDATE
    SET hidden_advertisers = kept.hidden_advertisers || excluded.hidden_advertisers,
        position = excluded.position
"""

SHOW_ADVERTISER = """
    UPDATE ad_preferences
    SET hidden_advertisers = array_remove(hidden_advertisers, %s::uuid), position = %s
    WHERE account_id = %s
"""

HIDE_CATEGORY = """
    INSERT INTO ad_preferences AS kept (account_id, hidden_categories, position)
    VALUES (%s, ARRAY[%s::text], %s)
    ON CONFLICT (account_id) DO UPDATE
    SET hidden_categories = kept.hidden_categories || excluded.hidden_categories,
        position = excluded.position
"""

SHOW_CATEGORY = """
    UPDATE ad_preferences
    SET hidden_categories = array_remove(hidden_categories, %s::text), position = %s
    WHERE account_id = %s
"""

# The row stays, so that whoever keeps preferences in memory sees that it moved.
RESET = """
    UPDATE ad_preferences
    SET contextual_only = false, hidden_advertisers = '{}', hidden_categories = '{}', position = %s
    WHERE account_id = %s
"""

Preferred = (
    ContextualAdsSwitched
    | AdvertiserHidden
    | AdvertiserShownAgain
    | AdCategoryHidden
    | AdCategoryShownAgain
    | AdPreferencesReset
)


class AdPreferences(Projection[Preferred]):
    """A row an account that ever said something of its ads."""

    name = "ad_preferences"
    tables = ("ad_preferences",)
    topics = (
        ContextualAdsSwitched.TOPIC,
        AdvertiserHidden.TOPIC,
        AdvertiserShownAgain.TOPIC,
        AdCategoryHidden.TOPIC,
        AdCategoryShownAgain.TOPIC,
        AdPreferencesReset.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Preferred]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            account_id = event.account_id
            match event:
                case ContextualAdsSwitched():
                    cursor.execute(SWITCH, (account_id, event.contextual_only, position))
                case AdvertiserHidden():
                    cursor.execute(HIDE_ADVERTISER, (account_id, event.advertiser_id, position))
                case AdvertiserShownAgain():
                    cursor.execute(SHOW_ADVERTISER, (event.advertiser_id, position, account_id))
                case AdCategoryHidden():
                    cursor.execute(HIDE_CATEGORY, (account_id, event.category, position))
                case AdCategoryShownAgain():
                    cursor.execute(SHOW_CATEGORY, (event.category, position, account_id))
                case AdPreferencesReset():
                    cursor.execute(RESET, (position, account_id))
                case _:
                    assert_never(event)
