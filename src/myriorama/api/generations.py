"""Routes of generations: ask for a video, see how far it is, cancel it; and the drafts."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import ServerSentEvent

from domain.generation.wish import ShotWish, Wish
from myriorama.api.generation_events import GenerationEvents
from myriorama.api.generation_rows import Generation, OwnGenerations
from myriorama.api.paging import PAGE_LIMIT, Page, PageLimit
from myriorama.api.tokens import Principal, Scope
from myriorama.application.generations import Generations
from myriorama.application.generations import Submitted as Outcome
from myriorama.store.front import Front

Prompt = Annotated[
    str, msgspec.Meta(min_length=1, max_length=2000, examples=["a fox jumps over a brook"])
]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, examples=[7])]


class NewShot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shot of a storyboard. Without a seed it follows from the video's."""

    prompt: Prompt
    seconds: Annotated[int, msgspec.Meta(ge=1, le=15, examples=[4])]
    seed: Seed | None = None


class NewGeneration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be made: by a `prompt`, or by the `shots` of a storyboard.

    The same seed and wish give the same video on the same model. `seconds` is how long the video
    is, and of a storyboard the sum of its shots. `GET /v1/models` tells what each model takes.

    `remix_of` makes another take on a video: what is left out is as it was there, but for the
    seed, the images and the cameos. `extends` goes on from the end of your own finished video, and
    makes the new part alone, which `POST /v1/generations/stitch` joins to it.
    """

    prompt: Prompt | None = None
    shots: Annotated[tuple[NewShot, ...], msgspec.Meta(max_length=8)] = ()
    seconds: Annotated[int, msgspec.Meta(ge=2, le=30, examples=[4])] | None = None
    orientation: Literal["portrait", "landscape", "square"] | None = None
    resolution: Literal["480p", "720p", "1080p"] | None = None
    model: Annotated[str, msgspec.Meta(max_length=100, examples=["procedural-1"])] | None = None
    image_upload_id: UUID | None = None
    last_image_upload_id: UUID | None = None
    cameo_ids: Annotated[tuple[UUID, ...], msgspec.Meta(max_length=4)] = ()
    seed: Seed | None = None
    remix_of: UUID | None = None
    extends: UUID | None = None

    def wish(self) -> Wish:
        """Return it in the terms of the domain."""
        asked = msgspec.structs.asdict(self)
        shots = [ShotWish(shot.prompt, shot.seconds, shot.seed) for shot in asked.pop("shots")]
        return Wish(shots=shots, **asked)


class Stitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The finished videos that are to become one, in order. One may stand there twice."""

    generation_ids: Annotated[tuple[UUID, ...], msgspec.Meta(min_length=2, max_length=8)]


class Reroll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which shot is to come out otherwise, from 0 on, and by which seed, if not by any."""

    shot: Annotated[int, msgspec.Meta(ge=0, le=7, examples=[1])]
    seed: Seed | None = None


class Submitted(msgspec.Struct, frozen=True):
    """What became of the request: it is queued, or refused for a `reason`, and can be appealed."""

    generation_id: UUID
    state: Literal["queued", "refused"]
    reason: str | None


@post("/generations", opt={"scope": Scope.CREATOR})
async def request_generation(
    data: JSONBody[NewGeneration],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> Response[Submitted]:
    """Ask for a video. It takes its seconds of your allowance until it has ended without one.

    What the screening refuses takes none; it is told by `state` and `reason`.
    """
    by, at = principal.account_id, datetime.now(UTC)
    return _created(await front.command(generations.request, data.wish(), by=by, at=at))


@post("/generations/stitch", opt={"scope": Scope.CREATOR})
async def stitch_generations(
    data: JSONBody[Stitch],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> Response[Submitted]:
    """Join finished videos of yours, of one size, to one of up to 60 seconds (30 in 720p).

    It takes none of your allowance.
    """
    by, at = principal.account_id, datetime.now(UTC)
    return _created(await front.command(generations.stitch, data.generation_ids, by=by, at=at))


@post("/generations/{generation_id:uuid}/remake", opt={"scope": Scope.CREATOR})
async def remake_generation(
    generation_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> Response[Submitted]:
    """Make one of yours again by its recipe: on the same model it comes out the same."""
    by, at = principal.account_id, datetime.now(UTC)
    return _created(await front.command(generations.remake, generation_id, by=by, at=at))


@post("/generations/{generation_id:uuid}/reroll", opt={"scope": Scope.CREATOR})
async def reroll_shot(
    generation_id: FromPath[UUID],
    data: JSONBody[Reroll],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> Response[Submitted]:
    """Make your finished storyboard anew with one shot come out otherwise; it takes that alone."""
    by, at = principal.account_id, datetime.now(UTC)
    submitted = await front.command(
        generations.reroll, generation_id, data.shot, seed=data.seed, by=by, at=at
    )
    return _created(submitted)


@get("/generations", opt={"scope": Scope.CREATOR})
async def list_generations(
    principal: NamedDependency[Principal],
    own_generations: NamedDependency[OwnGenerations],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Generation]:
    """List what you asked for, newest first."""
    return await own_generations.page(
        "generations", owner_id=principal.account_id, limit=limit, cursor=cursor
    )


@get("/generations/{generation_id:uuid}", opt={"scope": Scope.CREATOR})
async def read_generation(
    generation_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    own_generations: NamedDependency[OwnGenerations],
) -> Generation:
    """See what has become of one: its state, its place in the queue, and its draft."""
    return await own_generations.one(generation_id, owner_id=principal.account_id)


@get(
    "/generations/{generation_id:uuid}/events",
    opt={"scope": Scope.CREATOR},
    media_type="text/event-stream",
)
async def follow_generation(
    generation_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    own_generations: NamedDependency[OwnGenerations],
    generation_events: NamedDependency[GenerationEvents],
) -> ServerSentEvent:
    """Follow one as server-sent events, until it has ended.

    `state` tells the generation, at once and whenever it has changed; `progress` tells
    {attempt, done, total, stage} of the steps of its render, where `stage` is "waiting",
    "rendering" or "finishing", and is left out while it is not known; `preview` tells
    {attempt, url} of a picture of what can be seen so far, which is there until it has ended.
    """
    owner_id = principal.account_id
    generation_events.require_room(owner_id)
    await own_generations.one(generation_id, owner_id=owner_id)  # else 404, not an empty stream
    return ServerSentEvent(generation_events.follow(generation_id, owner_id=owner_id))


@post(
    "/generations/{generation_id:uuid}/cancel",
    opt={"scope": Scope.CREATOR},
    status_code=204,
)
async def cancel_generation(
    generation_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> None:
    """Stop one that has not ended. Its seconds come back at once."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(generations.cancel, generation_id, by=by, at=at)


@get("/drafts", opt={"scope": Scope.CREATOR})
async def list_drafts(
    principal: NamedDependency[Principal],
    own_generations: NamedDependency[OwnGenerations],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Generation]:
    """List what was made for you and is neither published nor discarded, newest first."""
    return await own_generations.page(
        "drafts", owner_id=principal.account_id, limit=limit, cursor=cursor
    )


@delete("/drafts/{generation_id:uuid}", opt={"scope": Scope.CREATOR})
async def discard_draft(
    generation_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> None:
    """Throw a draft away. Its seconds do not come back."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(generations.discard, generation_id, by=by, at=at)


def _created(outcome: Outcome) -> Response[Submitted]:
    location = f"/v1/generations/{outcome.generation_id}"
    return Response(
        msgspec.convert(outcome, Submitted, from_attributes=True), headers={"Location": location}
    )


router = Router(
    "/v1",
    route_handlers=[
        request_generation,
        stitch_generations,
        remake_generation,
        reroll_shot,
        list_generations,
        read_generation,
        follow_generation,
        cancel_generation,
        list_drafts,
        discard_draft,
    ],
    tags=["Generations"],
)
