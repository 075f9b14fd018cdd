"""Routes of the allowance: what is left of it, and what a generation would take of it."""

from datetime import UTC, datetime
from math import ceil

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from myriorama.api.generations import NewGeneration
from myriorama.api.queue_places import QueuePlace
from myriorama.api.queue_standing import QueueStanding
from myriorama.api.tokens import Principal, Scope
from myriorama.application.allowances import Allowances, Remaining
from myriorama.application.generations import Generations
from myriorama.store.front import Front


class Allowance(msgspec.Struct, frozen=True):
    """What is left for now. A generation takes the window's seconds first, and then purchased ones.

    `reset_s` is when the next seconds of the window come back, which is at `resets_at`; 0 if all
    are there.
    """

    limit_seconds: int
    remaining_seconds: int
    purchased_seconds: int
    reset_s: int
    resets_at: datetime | None


class Preview(msgspec.Struct, frozen=True):
    """What a generation would take, and how long it would wait, if it were asked for now.

    `purchased_seconds` of its `seconds` would be of the balance. `gpu_ms` is an estimate.
    `allowance` is what would be left, and `queue` where it would stand.
    """

    seconds: int
    purchased_seconds: int
    work_class: str
    gpu_ms: int
    allowance: Allowance
    queue: QueuePlace


@get("/allowance", opt={"scope": Scope.CREATOR})
async def read_allowance(
    principal: NamedDependency[Principal],
    allowances: NamedDependency[Allowances],
    front: NamedDependency[Front],
) -> Allowance:
    """See how many seconds of video you may ask for now."""
    at = datetime.now(UTC)
    return shown(await front.command(allowances.remaining, principal.account_id, at=at), at=at)


@post("/generations/preview", opt={"scope": Scope.CREATOR}, status_code=200)
async def preview_generation(
    data: JSONBody[NewGeneration],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    standing: NamedDependency[QueueStanding],
    front: NamedDependency[Front],
) -> Preview:
    """See what a request would cost, or the problem that it would meet. Nothing is recorded."""
    by, at = principal.account_id, datetime.now(UTC)
    cost = await front.command(generations.cost, data.wish(), by=by, at=at)
    return Preview(
        cost.seconds,
        cost.purchased,
        cost.work_class,
        cost.estimate_ms,
        shown(cost.left, at=at),
        await standing.expected(by, cost.work_class, max(1, cost.estimate_ms)),
    )


def shown(left: Remaining, *, at: datetime) -> Allowance:
    """Return what is left as it is shown at an instant."""
    returns_at = left.returns_at
    return Allowance(
        left.limit_seconds,
        left.remaining_seconds,
        left.purchased_seconds,
        max(1, ceil((returns_at - at).total_seconds())) if returns_at else 0,
        returns_at,
    )


router = Router("/v1", route_handlers=[read_allowance, preview_generation], tags=["Generations"])
