"""Routes of generations: ask for a video, see how far it is, cancel it; and the drafts."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import ServerSentEvent

from myriorama.api.generation_events import GenerationEvents
from myriorama.api.generation_rows import Generation, OwnGenerations
from myriorama.api.paging import PAGE_LIMIT, Page, PageLimit
from myriorama.api.tokens import Principal, Scope
from myriorama.application.generations import Generations, Wish
from myriorama.store.front import Front


class NewGeneration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be made. The same seed and wish give the same video on the same renderer."""

    prompt: Annotated[
        str, msgspec.Meta(min_length=1, max_length=2000, examples=["a fox jumps over a brook"])
    ]
    seconds: Annotated[int, msgspec.Meta(ge=2, le=15, examples=[4])] = 4
    orientation: Literal["portrait", "landscape", "square"] = "portrait"
    resolution: Literal["480p", "720p"] = "480p"
    image_upload_id: UUID | None = None
    cameo_ids: Annotated[tuple[UUID, ...], msgspec.Meta(max_length=4)] = ()
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    remix_of: UUID | None = None


@post("/generations", opt={"scope": Scope.CREATOR})
async def request_generation(
    data: JSONBody[NewGeneration],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> Response[dict[str, UUID]]:
    """Ask for a video. It takes its seconds of your allowance until it has ended without one."""
    wish = Wish(**msgspec.structs.asdict(data))
    by, at = principal.account_id, datetime.now(UTC)
    generation_id = await front.command(generations.request, wish, by=by, at=at)
    return Response(
        {"generation_id": generation_id},
        headers={"Location": f"/v1/generations/{generation_id}"},
    )


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
    {attempt, done, total} of the steps of its render.
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


router = Router(
    "/v1",
    route_handlers=[
        request_generation,
        list_generations,
        read_generation,
        follow_generation,
        cancel_generation,
        list_drafts,
        discard_draft,
    ],
    tags=["Generations"],
)
