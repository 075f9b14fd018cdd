"""A generation as its owner sees it, and the queries that find it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from domain.generation.errors import GenerationNotFound
from myriorama.api.paging import Cursors, Page
from myriorama.api.queue_places import QueuePlace
from myriorama.api.queue_standing import QueueStanding
from myriorama.api.reads import Reads
from myriorama.store.signing import Signer

# A cameo that was revoked takes the drafts it is in with it. Recipes have a position of their own,
# and may be a moment behind.
ONE = """
    SELECT g.*, to_jsonb(r) AS recipe, EXISTS (
        SELECT FROM cameos c WHERE c.cameo_id = ANY(g.cameo_ids) AND c.state = 'revoked'
    ) AS is_recalled
    FROM generations g LEFT JOIN recipes r USING (generation_id)
    WHERE g.generation_id = %s AND g.account_id = %s
"""

OWN = """
    SELECT g.*, to_jsonb(r) AS recipe, EXISTS (
        SELECT FROM cameos c WHERE c.cameo_id = ANY(g.cameo_ids) AND c.state = 'revoked'
    ) AS is_recalled
    FROM generations g LEFT JOIN recipes r USING (generation_id)
    WHERE g.account_id = %s AND g.generation_id < %s ORDER BY g.generation_id DESC LIMIT %s
"""

DRAFTS = """
    SELECT g.*, to_jsonb(r) AS recipe, false AS is_recalled
    FROM generations g LEFT JOIN recipes r USING (generation_id)
    WHERE g.account_id = %s AND g.generation_id < %s
      AND g.state = 'completed' AND g.video_id IS NULL
      AND NOT EXISTS (
          SELECT FROM cameos c WHERE c.cameo_id = ANY(g.cameo_ids) AND c.state = 'revoked'
      )
    ORDER BY g.generation_id DESC LIMIT %s
"""


class Asked(msgspec.Struct, frozen=True):
    """What was asked for, and what has become of it.

    `state` is queued, dispatched, running, completed, failed, refused, cancelled or discarded.
    `reason` is a stable code, of one that failed or was refused. `video_id` is the video that the
    draft became.
    """

    generation_id: UUID
    state: str
    attempt: int
    prompt: str
    seconds: int
    orientation: str
    resolution: str
    width: int
    height: int
    seed: int
    cameo_ids: list[UUID]
    image_upload_id: UUID | None
    remix_of: UUID | None
    work_class: str
    reason: str | None
    detail: str | None
    duration_ms: int | None
    renderer: str | None
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    video_id: UUID | None


class Shot(msgspec.Struct, frozen=True):
    """A shot of a storyboard, by the seed that makes it."""

    prompt: str
    seconds: int
    seed: int


class Verdict(msgspec.Struct, frozen=True):
    """What a check of the prompt, the frames or the transcript said."""

    stage: str
    check: str
    version: str
    verdict: Literal["allow", "refuse"]
    code: str


class Recipe(msgspec.Struct, frozen=True):
    """What the video follows from beside the words and the seed, and what was said of it.

    `model_digest` is of what rendered it: the same digest gives the same video. `remake_of` is
    what was made again, `rerolls` the shot that was to come out otherwise. `appeal` is "open",
    "upheld" (the refusal stands) or "overturned"; `appeal_note` says why.
    """

    model: str
    shots: tuple[Shot, ...]
    last_image_upload_id: UUID | None
    extends: UUID | None
    stitches: tuple[UUID, ...]
    remake_of: UUID | None
    rerolls: int | None
    estimate_ms: int
    model_digest: str
    transcript: str | None
    verdicts: tuple[Verdict, ...]
    appeal: Literal["open", "upheld", "overturned"] | None
    appeal_note: str | None


class Generation(Asked, frozen=True):
    """With the URLs of its files, while it is a draft or a video. They expire; fetch them anew.

    `queue` tells where it stands while it has not ended; `place` is its position there.
    """

    place: int | None
    queue: QueuePlace | None
    recipe: Recipe | None
    video_url: str | None
    poster_url: str | None
    thumbnail_url: str | None
    sprite_url: str | None
    captions_url: str | None


class RecipeRow(Recipe, frozen=True):
    """A row of `recipes`."""

    sprite_key: str
    captions_key: str | None


class GenerationRow(Asked, frozen=True):
    """A row of `generations`, and the one of `recipes` beside it."""

    account_id: UUID
    lease_expires_at: datetime | None
    video_key: str | None
    poster_key: str | None
    thumbnail_key: str | None
    position: int
    is_recalled: bool
    recipe: dict[str, Any] | None


class OwnGenerations:
    """Finds generations for those who asked for them. Of others' nobody learns anything."""

    def __init__(
        self, reads: Reads, standing: QueueStanding, cursors: Cursors, signer: Signer
    ) -> None:
        self._reads = reads
        self._standing = standing
        self._cursors = cursors
        self._signer = signer

    async def one(self, generation_id: UUID, *, owner_id: UUID) -> Generation:
        """Return one.

        Raises:
            GenerationNotFound: there is none, or it is somebody else's.
        """
        row = await self._reads.one(GenerationRow, ONE, (generation_id, owner_id))
        if row is None:
            raise GenerationNotFound("There is no such generation.")
        [shown] = await self._shown([row])
        return shown

    async def page(
        self,
        listing: Literal["generations", "drafts"],
        *,
        owner_id: UUID,
        limit: int,
        cursor: str | None,
    ) -> Page[Generation]:
        """Return a page of all that an account asked for, or of its drafts, newest first.

        Raises:
            CursorInvalid: it is not one of this list's.
        """
        name = f"{listing}:{owner_id}"
        after = self._cursors.read(name, cursor)
        query = DRAFTS if listing == "drafts" else OWN
        bounds = (owner_id, after[0] if after else _FIRST, limit + 1)
        rows = await self._reads.many(GenerationRow, query, bounds)
        items = await self._shown(rows[:limit])
        more = len(rows) > limit
        following = self._cursors.write(name, (str(items[-1].generation_id),)) if more else None
        return Page(items=items, next_cursor=following)

    async def _shown(self, rows: Sequence[GenerationRow]) -> list[Generation]:
        places = await self._standing.of({row.generation_id: row.state for row in rows})
        return [self._one_shown(row, places.get(row.generation_id)) for row in rows]

    def _one_shown(self, row: GenerationRow, place: QueuePlace | None) -> Generation:
        now = int(datetime.now(UTC).timestamp())
        is_there = row.state == "completed" and not row.is_recalled

        def url(key: str | None) -> str | None:
            return self._signer.media_url(key, now=now) if key and is_there else None

        asked = {name: getattr(row, name) for name in Asked.__struct_fields__}
        recipe = msgspec.convert(row.recipe, RecipeRow) if row.recipe else None
        return Generation(
            **asked,
            recipe=_without_keys(recipe) if recipe else None,
            place=place.position if place else None,
            queue=place,
            video_url=url(row.video_key),
            poster_url=url(row.poster_key),
            thumbnail_url=url(row.thumbnail_key),
            sprite_url=url(recipe.sprite_key if recipe else None),
            captions_url=url(recipe.captions_key if recipe else None),
        )


def _without_keys(recipe: RecipeRow) -> Recipe:
    return Recipe(**{name: getattr(recipe, name) for name in Recipe.__struct_fields__})


# Sorts behind every ID.
_FIRST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
