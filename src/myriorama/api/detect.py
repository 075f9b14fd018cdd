"""The route of the detector: where a video comes from, asked by anybody."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Router, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import MultipartBody

from domain.errors import Invalid
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.studio.examination import Examined
from myriorama.studio.inspection import Refused
from myriorama.studio.manifest import Manifest
from myriorama.studio.perceptual import ALIKE_MAX, NOTHING_TO_SEE
from myriorama.studio.watermark import BIT_ERRORS_MAX, Detection, Watermark
from projections.provenance import signed

BYTES_MAX = 50 * 2**20
SECONDS_MAX = 20.0
"""So much of a video is looked at, from its beginning."""

Kind = Literal["c2pa", "watermark", "perceptual_hash"]
Examiner = Callable[[Path], Examined | Refused]

# What is not published, or not for the one who asks, is told by nobody's ID.
BY_GENERATION = """
    SELECT v.video_id FROM provenance p JOIN visible_videos(%(viewer_id)s) v USING (video_id)
    WHERE p.generation_id = %(generation_id)s
"""

# A clip that has lost its beginning may show every bit the other way round.
BY_WATERMARK = """
    SELECT p.generation_id, v.video_id,
           least(bit_count((p.watermark # %(bits)s::bigint)::bit(64)),
                 64 - bit_count((p.watermark # %(bits)s::bigint)::bit(64))) AS distance
    FROM provenance p LEFT JOIN visible_videos(%(viewer_id)s) v USING (video_id)
    WHERE p.watermark IS NOT NULL
      AND least(bit_count((p.watermark # %(bits)s::bigint)::bit(64)),
                64 - bit_count((p.watermark # %(bits)s::bigint)::bit(64))) <= %(distance_max)s
    ORDER BY distance, p.generation_id LIMIT 1
"""

BY_HASH = """
    SELECT v.video_id, bit_count((p.perceptual_hash # %(bits)s::bigint)::bit(64)) AS distance
    FROM provenance p JOIN listed_videos(%(viewer_id)s) v USING (video_id)
    WHERE p.perceptual_hash IS NOT NULL
      AND bit_count((p.perceptual_hash # %(bits)s::bigint)::bit(64)) <= %(distance_max)s
    ORDER BY distance, v.published_position LIMIT 1
"""


class ClipUnreadable(Invalid):
    """This cannot be looked at as a video: it is damaged, too long, or of another kind."""


class DetectForm(msgspec.Struct, frozen=True):
    """The file that is to be looked at."""

    file: UploadFile


class Evidence(msgspec.Struct, frozen=True):
    """One thing that was found. `confidence` is 1 where nothing but the house itself can say it."""

    kind: Kind
    is_ours: bool
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    detail: str


class Provenance(msgspec.Struct, frozen=True):
    """What is known of a video's origin, the strongest evidence first.

    `made_here` rests on a signature or a watermark; that it looks like a video of ours is not
    enough. `video_id` is the video, if it is published and the one who asks may see it.
    """

    made_here: bool
    video_id: UUID | None
    manifest: Manifest | None
    evidence: list[Evidence]


class Detector:
    """Looks at clips, and looks up what they carry."""

    def __init__(self, reads: Reads, watermark: Watermark, examiner: Examiner) -> None:
        self._reads = reads
        self._watermark = watermark
        self._examine = examiner

    def look(self, file: UploadFile) -> Examined | Refused:
        """Look at a file; it takes seconds, and is to be called in a thread."""
        with closing(file.file) as source, NamedTemporaryFile(prefix="myriorama-") as copy:
            source.seek(0)
            shutil.copyfileobj(source, copy)
            copy.flush()
            return self._examine(Path(copy.name))

    async def provenance(self, examined: Examined, viewer_id: UUID | None) -> Provenance:
        """Say where a clip comes from: by its manifest, else its watermark, else its looks."""
        manifest = examined.manifest
        found: list[Evidence] = []
        video_id = None
        if manifest:
            found.append(_declared(manifest))
            if found[0].is_ours:
                row = await self._one(
                    BY_GENERATION, viewer_id, generation_id=manifest.generation_id
                )
                video_id = row.video_id if row else None
        carried = await to_thread.run_sync(examined.watermark, self._watermark)
        if carried:
            row = await self._marked(carried, viewer_id)
            found.append(_marked(carried, row))
            video_id = video_id or (row.video_id if row else None)
        hashed = examined.perceptual_hash
        if hashed != NOTHING_TO_SEE:
            row = await self._one(
                BY_HASH, viewer_id, bits=signed(f"{hashed:x}"), distance_max=ALIKE_MAX
            )
            if row:
                found.append(_alike(row))
                video_id = video_id or row.video_id
        made_here = any(each.is_ours for each in found)
        return Provenance(made_here, video_id, manifest, found)

    async def _marked(self, carried: Detection, viewer_id: UUID | None) -> "_Row | None":
        return await self._one(
            BY_WATERMARK,
            viewer_id,
            bits=signed(f"{carried.payload:x}") or 0,
            distance_max=BIT_ERRORS_MAX,
        )

    async def _one(self, query: Any, viewer_id: UUID | None, **params: object) -> "_Row | None":
        return await self._reads.one(_Row, query, {"viewer_id": viewer_id, **params})


@post(
    "/",
    opt={"scope": Scope.PUBLIC, "limit": "credentials"},
    request_max_body_size=BYTES_MAX + 16 * 1024,
    status_code=200,
)
async def detect(
    data: MultipartBody[DetectForm],
    visitor: NamedDependency[Principal | None],
    detector: NamedDependency[Detector],
    inspections: NamedDependency[CapacityLimiter],
) -> Provenance:
    """Find out whether a video was made here: MP4, QuickTime or WebM, at most 50 MB.

    Of a longer video the first 20 seconds are looked at. Nothing of it is kept.
    """
    data.file.file.seek(0, 2)
    if data.file.file.tell() > BYTES_MAX:
        raise HTTPException(status_code=413, detail=f"At most {BYTES_MAX} bytes are taken.")
    examined = await to_thread.run_sync(detector.look, data.file, limiter=inspections)
    if isinstance(examined, Refused):
        raise ClipUnreadable(f"This cannot be looked at: {examined.detail}.")
    return await detector.provenance(examined, visitor.account_id if visitor else None)


class _Row(msgspec.Struct, frozen=True):
    video_id: UUID | None
    generation_id: UUID | None = None
    distance: int = 0


def _declared(manifest: Manifest) -> Evidence:
    if manifest.state == "trusted":
        detail = "It is signed by this house, and nothing was changed since."
        return Evidence("c2pa", is_ours=True, confidence=1.0, detail=detail)
    if manifest.state == "valid":
        detail = f"It is signed by {manifest.issuer or 'somebody'}, whom this house does not know."
        return Evidence("c2pa", is_ours=False, confidence=0.0, detail=detail)
    detail = "It has a manifest that does not hold: it was changed, or is signed by nobody."
    return Evidence("c2pa", is_ours=False, confidence=0.0, detail=detail)


def _marked(carried: Detection, row: _Row | None) -> Evidence:
    known = (
        f"It carries the mark of a video that was made here; {row.distance} bits of 64 differ."
        if row
        else "It carries a mark of this house, of a video that is not known any more."
    )
    return Evidence("watermark", is_ours=True, confidence=1 - carried.false_alarm, detail=known)


def _alike(row: _Row) -> Evidence:
    detail = f"It looks like a video that was published here; {row.distance} bits of 64 differ."
    likeness = 1 - row.distance / (2 * ALIKE_MAX)
    return Evidence("perceptual_hash", is_ours=False, confidence=likeness, detail=detail)


router = Router("/v1/detect", route_handlers=[detect], tags=["Provenance"])
