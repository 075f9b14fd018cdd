"""Routes of sandboxes: what fills their wallets, and the traffic that is simulated for them."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, LiteralString
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from myriorama.api.ad_terms import Instant
from myriorama.api.billing import TopUp
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.sandboxes import Sandboxes
from myriorama.billing.simulations import SimulationNotFound, Simulations, State, Wanted
from myriorama.store.front import Front

PAGES_MAX = 5_000
VIEWERS_MAX = 2_000
MINUTES_MAX = 60
SEED_MAX = 2**53 - 1

_SIMULATION: LiteralString = """
    SELECT simulation_id, pages, viewers, minutes, seed, state, requested_at, started_at, ended_at,
           pages_done, ads, reports, outcomes
    FROM ad_simulations WHERE advertiser_id = %s
"""

SIMULATIONS = _SIMULATION + "AND simulation_id < %s ORDER BY simulation_id DESC LIMIT %s"
SIMULATION = _SIMULATION + "AND simulation_id = %s"

_LAST_ID = UUID(int=2**128 - 1)

Seed = Annotated[int, msgspec.Meta(ge=0, le=SEED_MAX)]


class SandboxTopUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is to be in the wallet of a sandbox beside what is: it costs nothing."""

    amount_micros: Annotated[int, msgspec.Meta(gt=0, le=2**53, examples=[50_000_000])]


class NewSimulation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many pages of so many viewers, spread evenly over so many minutes; 0 is: at once.

    Viewers and pages are drawn by `seed`: the same again by the same. Without one, it is drawn.
    """

    pages: Annotated[int, msgspec.Meta(ge=1, le=PAGES_MAX, examples=[200])]
    viewers: Annotated[int, msgspec.Meta(ge=1, le=VIEWERS_MAX)] = 50
    minutes: Annotated[int, msgspec.Meta(ge=0, le=MINUTES_MAX)] = 1
    seed: Seed | msgspec.UnsetType = msgspec.UNSET


class StartedSimulation(msgspec.Struct, frozen=True):
    """The simulation that begins in a moment; `Location` tells where to watch it."""

    simulation_id: UUID
    seed: Seed


class AdSimulation(msgspec.Struct, frozen=True):
    """A simulation, and how far it has come.

    `ads` of yours were shown on `pages_done` pages; of these `reports` came. `outcomes` counts the
    pages by how they were decided: "sold" also where another's line won. It is "completed" once
    nothing is to be reported any more, which is moments after the last page.
    """

    simulation_id: UUID
    pages: int
    viewers: int
    minutes: int
    seed: Seed
    state: State
    requested_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    pages_done: int
    ads: int
    reports: int
    outcomes: dict[str, int]


@post("/billing/sandbox-top-ups", opt={"scope": Scope.ADVERTISER})
async def top_up_sandbox(
    advertiser_id: FromPath[UUID],
    data: JSONBody[SandboxTopUp],
    principal: NamedDependency[Principal],
    sandboxes: NamedDependency[Sandboxes],
    front: NamedDependency[Front],
) -> TopUp:
    """Fill the wallet of a sandbox, without money; an editor may."""
    made = await front.command(
        sandboxes.top_up,
        advertiser_id,
        amount_micros=data.amount_micros,
        by=principal.account_id,
        at=datetime.now(UTC),
    )
    return TopUp(
        made.id,
        made.amount_micros,
        made.currency,
        made.method,
        made.state,
        made.checkout_url,
        made.failure_code,
        made.created_on,
        made.modified_on,
    )


@post("/simulations", opt={"scope": Scope.ADVERTISER})
async def start_simulation(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    advertiser_id: FromPath[UUID],
    data: JSONBody[NewSimulation],
    principal: NamedDependency[Principal],
    sandboxes: NamedDependency[Sandboxes],
    simulations: NamedDependency[Simulations],
    front: NamedDependency[Front],
) -> Response[StartedSimulation]:
    """Have traffic simulated for a sandbox, one simulation at a time; an editor may."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(sandboxes.require, advertiser_id, by=by)
    seed = secrets.randbelow(SEED_MAX) if data.seed is msgspec.UNSET else data.seed
    wanted = Wanted(data.pages, data.viewers, data.minutes, seed)
    started = await simulations.request(advertiser_id, wanted, by=by, at=at)
    location = {"Location": f"/v1/advertisers/{advertiser_id}/simulations/{started.simulation_id}"}
    return Response(StartedSimulation(started.simulation_id, started.seed), headers=location)


@get("/simulations", opt={"scope": Scope.ADVERTISER})
async def list_simulations(  # noqa: PLR0913, PLR0917 - what a list takes
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[AdSimulation]:
    """List the simulations of an advertiser, newest first."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    listing = f"simulations:{advertiser_id}"
    after = cursors.read(listing, cursor)
    before = UUID(str(after[0])) if after else _LAST_ID
    found = await reads.many(AdSimulation, SIMULATIONS, (advertiser_id, before, limit + 1))
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda simulation: simulation,
        place=lambda simulation: (str(simulation.simulation_id),),
    )


@get("/simulations/{simulation_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def read_simulation(
    advertiser_id: FromPath[UUID],
    simulation_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> AdSimulation:
    """See how far a simulation has come."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    found = await reads.one(AdSimulation, SIMULATION, (advertiser_id, simulation_id))
    if found is None:
        raise SimulationNotFound("There is no such simulation.")
    return found


@delete("/simulations/{simulation_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def stop_simulation(
    advertiser_id: FromPath[UUID],
    simulation_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    simulations: NamedDependency[Simulations],
) -> None:
    """Stop a simulation: no page follows, and nothing is reported any more; an editor may."""
    await tenancy.require(advertiser_id, by=principal.account_id, needs="editor")
    await simulations.stop(advertiser_id, simulation_id)


router = Router(
    "/v1/advertisers/{advertiser_id:uuid}",
    route_handlers=[
        top_up_sandbox,
        start_simulation,
        list_simulations,
        read_simulation,
        stop_simulation,
    ],
    tags=["Advertising"],
)
