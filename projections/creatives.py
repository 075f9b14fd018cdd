"""Creatives: the videos that are shown as ads, and how their review stands.

Read by their advertisers, by who reviews them, and by what the index of ads is made from.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from domain.cameo.events import CameoRevoked
from domain.creative.content import Content
from domain.creative.events import (
    CreativeAppealed,
    CreativeApproved,
    CreativeCapsChanged,
    CreativeChecked,
    CreativeDrafted,
    CreativeEdited,
    CreativeEvent,
    CreativeRejected,
    CreativeRenamed,
    CreativeSubmitted,
    CreativeWithdrawn,
)
from domain.generation.events import DraftDiscarded
from domain.video.events import VideoDeleted
from projections.projection import Projection, Recorded

DRAFT = """
    INSERT INTO creatives (creative_id, advertiser_id, name, source_kind, source_id, video_key,
                           poster_key, thumbnail_key, width, height, duration_ms, cameo_ids,
                           ai_label, landing_url, call_to_action, headline, category, caps, state,
                           recalled, checks, reasons, note, drafted_at, drafted_position, version,
                           position)
    VALUES (%(creative_id)s, %(advertiser_id)s, %(name)s, %(source_kind)s, %(source_id)s,
            %(video_key)s, %(poster_key)s, %(thumbnail_key)s, %(width)s, %(height)s,
            %(duration_ms)s, %(cameo_ids)s, %(ai_label)s, %(landing_url)s, %(call_to_action)s,
            %(headline)s, %(category)s, %(caps)s, 'draft', false, '[]', '{}', '', %(timestamp)s,
            %(position)s, %(version)s, %(position)s)
"""

RENAME = "UPDATE creatives SET name = %s, version = %s, position = %s WHERE creative_id = %s"

CHANGE_CAPS = "UPDATE creatives SET caps = %s, version = %s, position = %s WHERE creative_id = %s"

EDIT = """
    UPDATE creatives
    SET source_kind = %(source_kind)s, source_id = %(source_id)s, video_key = %(video_key)s,
        poster_key = %(poster_key)s, thumbnail_key = %(thumbnail_key)s, width = %(width)s,
        height = %(height)s, duration_ms = %(duration_ms)s, cameo_ids = %(cameo_ids)s,
        ai_label = %(ai_label)s, landing_url = %(landing_url)s, headline = %(headline)s,
        call_to_action = %(call_to_action)s, category = %(category)s, state = 'draft',
        recalled = recalled AND source_id = %(source_id)s, checks = '[]', reasons = '{}',
        note = '', statement = NULL, decided_by = NULL, decided_at = NULL, waiting_since = NULL,
        waiting_position = NULL, version = %(version)s, position = %(position)s
    WHERE creative_id = %(creative_id)s
"""

WAIT = """
    UPDATE creatives SET state = 'in_review', statement = %s, waiting_since = %s,
                         waiting_position = %s, version = %s, position = %s
    WHERE creative_id = %s
"""

CHECK = """
    UPDATE creatives SET checks = checks || %s, version = %s, position = %s WHERE creative_id = %s
"""

DECIDE = """
    UPDATE creatives SET state = %s, reasons = %s, note = %s, decided_by = %s, decided_at = %s,
                         waiting_since = NULL, waiting_position = NULL, version = %s, position = %s
    WHERE creative_id = %s
"""

WITHDRAW = """
    UPDATE creatives SET state = 'withdrawn', waiting_since = NULL, waiting_position = NULL,
                         version = %s, position = %s
    WHERE creative_id = %s
"""

RECALL_SOURCE = "UPDATE creatives SET recalled = true, position = %s WHERE source_id = %s"

RECALL_CAMEO = """
    UPDATE creatives SET recalled = true, position = %s WHERE cameo_ids @> ARRAY[%s]::uuid[]
"""

Shown = CreativeEvent | VideoDeleted | DraftDiscarded | CameoRevoked


class Creatives(Projection[Shown]):
    """One row a creative; `version` is its aggregate's, for ETags.

    `recalled`: its video, or a cameo in it, is gone, so that nobody may be shown it any more.
    """

    name = "creatives"
    tables = ("creatives",)
    topics = (
        CreativeDrafted.TOPIC,
        CreativeRenamed.TOPIC,
        CreativeCapsChanged.TOPIC,
        CreativeEdited.TOPIC,
        CreativeSubmitted.TOPIC,
        CreativeChecked.TOPIC,
        CreativeApproved.TOPIC,
        CreativeRejected.TOPIC,
        CreativeAppealed.TOPIC,
        CreativeWithdrawn.TOPIC,
        VideoDeleted.TOPIC,
        DraftDiscarded.TOPIC,
        CameoRevoked.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Shown]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            _fold(event, position, cursor)


def _fold(  # noqa: C901, PLR0912 - one case an event
    event: Shown, position: int, cursor: Cursor[TupleRow]
) -> None:
    at, stand = event.timestamp, (event.originator_version, position, event.originator_id)
    match event:
        case CreativeDrafted():
            caps = Jsonb([asdict(cap) for cap in event.caps])
            named = {"advertiser_id": event.advertiser_id, "name": event.name, "caps": caps}
            cursor.execute(DRAFT, {**_content(event, event.content, position), **named})
        case CreativeRenamed():
            cursor.execute(RENAME, (event.name, *stand))
        case CreativeCapsChanged():
            caps = Jsonb([asdict(cap) for cap in event.caps])
            cursor.execute(CHANGE_CAPS, (caps, *stand))
        case CreativeEdited():
            cursor.execute(EDIT, _content(event, event.content, position))
        case CreativeSubmitted():
            cursor.execute(WAIT, (None, at, position, *stand))
        case CreativeChecked():
            cursor.execute(CHECK, (Jsonb([_said(event)]), *stand))
        case CreativeApproved():
            cursor.execute(DECIDE, ("approved", [], event.note, event.by, at, *stand))
        case CreativeRejected():
            reasons = list(event.reasons)
            cursor.execute(DECIDE, ("rejected", reasons, event.note, event.by, at, *stand))
        case CreativeAppealed():
            cursor.execute(WAIT, (event.statement, at, position, *stand))
        case CreativeWithdrawn():
            cursor.execute(WITHDRAW, stand)
        case VideoDeleted() | DraftDiscarded():
            cursor.execute(RECALL_SOURCE, (position, event.originator_id))
        case CameoRevoked():
            cursor.execute(RECALL_CAMEO, (position, event.originator_id))
        case _:
            assert_never(event)


def _content(
    event: CreativeDrafted | CreativeEdited, content: Content, position: int
) -> dict[str, object]:
    return {
        **vars(content.footage),
        "cameo_ids": list(content.footage.cameo_ids),
        "landing_url": content.landing_url,
        "call_to_action": content.call_to_action,
        "headline": content.headline,
        "category": content.category,
        "creative_id": event.originator_id,
        "timestamp": event.timestamp,
        "version": event.originator_version,
        "position": position,
    }


def _said(event: CreativeChecked) -> dict[str, str]:
    return {
        "check": event.check,
        "version": event.version,
        "verdict": event.verdict,
        "code": event.code,
        "detail": event.detail,
    }
