"""Creatives as their advertisers and who reviews them are shown them."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec

from domain.creative.content import SourceKind
from myriorama.api.ad_terms import Cap, Instant
from myriorama.store.signing import Signer

ONE = """
    SELECT creative_id, advertiser_id, name, source_kind, source_id, video_key, poster_key, width,
           height, duration_ms, cameo_ids, ai_label, landing_url, call_to_action, headline,
           category, caps, state, recalled, checks, reasons, note, statement, decided_by,
           decided_at, waiting_since, waiting_position, drafted_at, drafted_position, version
    FROM creatives WHERE creative_id = %s
"""

CreativeState = Literal["draft", "in_review", "approved", "rejected", "withdrawn"]


class CheckSaid(msgspec.Struct, frozen=True):
    """What a check said of a creative: "allow", "doubt" (a person decides) or "refuse"."""

    check: str
    version: str
    verdict: Literal["allow", "doubt", "refuse"]
    code: str
    detail: str


class Creative(msgspec.Struct, frozen=True):
    """A video as an ad, and how its review stands. The URLs expire.

    What is `recalled` is shown to nobody: its video, or a cameo in it, is gone.
    """

    creative_id: UUID
    advertiser_id: UUID
    name: str
    source_kind: SourceKind
    source_id: UUID
    video_url: str
    poster_url: str
    width: int
    height: int
    duration_ms: int
    cameo_ids: list[UUID]
    ai_label: str
    landing_url: str
    call_to_action: str
    headline: str
    category: str
    caps: list[Cap]
    state: CreativeState
    recalled: bool
    checks: list[CheckSaid]
    reasons: list[str]
    note: str
    statement: str | None
    decided_at: Instant | None
    waiting_since: Instant | None
    drafted_at: Instant


class CreativeRow(msgspec.Struct, frozen=True):
    """A creative as it lies on the read side."""

    creative_id: UUID
    advertiser_id: UUID
    name: str
    source_kind: SourceKind
    source_id: UUID
    video_key: str
    poster_key: str
    width: int
    height: int
    duration_ms: int
    cameo_ids: list[UUID]
    ai_label: str
    landing_url: str
    call_to_action: str
    headline: str
    category: str
    caps: object
    state: CreativeState
    recalled: bool
    checks: object
    reasons: list[str]
    note: str
    statement: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    waiting_since: datetime | None
    waiting_position: int | None
    drafted_at: datetime
    drafted_position: int
    version: int


def creative_of(row: CreativeRow, signer: Signer) -> Creative:
    """Return a creative as its members see it, with URLs that are good for a while."""
    now = int(datetime.now(UTC).timestamp())
    shown = {name: getattr(row, name) for name in row.__struct_fields__}
    shown["video_url"] = signer.media_url(row.video_key, now=now)
    shown["poster_url"] = signer.media_url(row.poster_key, now=now)
    return msgspec.convert(shown, Creative)
