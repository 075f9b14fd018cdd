"""Routes of the workers: claim an attempt, stay its holder, deliver it or give it up.

A worker shows its token, not an account's. Every call names the attempt: what comes under an older
one is refused with 409, and the worker lets go of the work.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from domain.generation.work import Delivery, Verdict, Work
from myriorama.api.tokens import Scope
from myriorama.application.work import Works
from myriorama.store.front import Front
from myriorama.store.progress import Progress, ProgressRelay

Attempt = Annotated[int, msgspec.Meta(ge=1, le=100, examples=[1])]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200, examples=["videos/ab/ab12.mp4"])]
OptionalKey = Annotated[str, msgspec.Meta(max_length=200, examples=["masters/cd/cd34.mp4"])]
Bits = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{16})?$", examples=["00ff00ff00ff00ff"])]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**40)]


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants which attempt. A worker's name is its own, and another one after each start."""

    worker: Annotated[str, msgspec.Meta(min_length=1, max_length=100, examples=["gpu-7:4242"])]
    attempt: Attempt


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The worker is alive, and has done so many of its steps."""

    attempt: Attempt
    done: Count
    total: Count


class Order(msgspec.Struct, frozen=True):
    """Whether the worker is to go on; if not, nobody wants the video any more."""

    go_on: bool


class Screened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a check said of the frames or of what is spoken; `code` is empty where it allows."""

    stage: Literal["frames", "transcript"]
    check: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,39}$", examples=["skin"])]
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=40, examples=["1"])]
    verdict: Literal["allow", "refuse"]
    code: Annotated[str, msgspec.Meta(pattern="^([a-z][a-z0-9_]{0,39})?$")] = ""
    detail: Annotated[str, msgspec.Meta(max_length=500)] = ""
    words: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Completion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was made. The files are in the object store already."""

    attempt: Attempt
    video_key: Key
    poster_key: Key
    thumbnail_key: Key
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size_bytes: Count
    width: Count
    height: Count
    duration_ms: Count
    renderer: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    gpu_ms: Count
    master_key: OptionalKey = ""
    sprite_key: OptionalKey = ""
    captions_key: Key | None = None
    model_digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    watermark: Bits = ""
    perceptual_hash: Bits = ""
    manifest_id: Annotated[str, msgspec.Meta(max_length=200)] = ""
    transcript: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None
    encode_ms: Count = 0
    verdicts: Annotated[tuple[Screened, ...], msgspec.Meta(max_length=64)] = ()


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the worker gives the attempt up: a stable code, and words for who looks into it."""

    attempt: Attempt
    reason: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{0,39}$")]
    detail: Annotated[str, msgspec.Meta(max_length=500)] = ""


@post("/claim", opt={"scope": Scope.WORKER}, status_code=200)
async def claim(
    generation_id: FromPath[UUID],
    data: JSONBody[Claim],
    works: NamedDependency[Works],
    front: NamedDependency[Front],
) -> Work:
    """Claim an attempt. 409 if it is not to be had: claimed, cancelled, or without consent."""
    at = datetime.now(UTC)
    return await front.command(
        works.claim, generation_id, worker=data.worker, attempt=data.attempt, at=at
    )


@post("/heartbeat", opt={"scope": Scope.WORKER}, status_code=200)
async def heartbeat(
    generation_id: FromPath[UUID],
    data: JSONBody[Heartbeat],
    works: NamedDependency[Works],
    front: NamedDependency[Front],
    progress: NamedDependency[ProgressRelay],
) -> Order:
    """Stay the holder of an attempt, and learn whether to go on."""
    at = datetime.now(UTC)
    go_on = await front.command(works.heartbeat, generation_id, attempt=data.attempt, at=at)
    if go_on:
        progress.tell(Progress(generation_id, data.attempt, data.done, data.total))
    return Order(go_on)


@post("/complete", opt={"scope": Scope.WORKER}, status_code=204)
async def complete(
    generation_id: FromPath[UUID],
    data: JSONBody[Completion],
    works: NamedDependency[Works],
    front: NamedDependency[Front],
) -> None:
    """Deliver the video. The same again changes nothing; a verdict that refuses makes no draft."""
    made = msgspec.structs.asdict(data)
    attempt = made.pop("attempt")
    verdicts = tuple(Verdict(**msgspec.structs.asdict(each)) for each in made.pop("verdicts"))
    delivery, at = Delivery(**made, verdicts=verdicts), datetime.now(UTC)
    await front.command(works.complete, generation_id, delivery, attempt=attempt, at=at)


@post("/fail", opt={"scope": Scope.WORKER}, status_code=204)
async def fail(
    generation_id: FromPath[UUID],
    data: JSONBody[Failure],
    works: NamedDependency[Works],
    front: NamedDependency[Front],
) -> None:
    """Give an attempt up. Another one follows, unless it was the last."""
    await front.command(
        works.fail,
        generation_id,
        attempt=data.attempt,
        reason=data.reason,
        detail=data.detail,
        at=datetime.now(UTC),
    )


router = Router(
    "/v1/work/{generation_id:uuid}",
    route_handlers=[claim, heartbeat, complete, fail],
    tags=["Work"],
)
