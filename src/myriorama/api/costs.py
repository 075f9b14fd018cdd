"""The route of costs: what a second of video costs that is kept."""

from datetime import UTC, datetime, timedelta

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency

from myriorama.api.reads import Reads
from myriorama.api.tokens import Scope

KEPT_AFTER = timedelta(days=7)
"""Published then, a video counts as kept."""

# A week of ISO 8601, in UTC. `is_final`: no later event changes the row.
COSTS = """
    SELECT model, work_class, to_char(completed_at AT TIME ZONE 'UTC', 'IYYY-"W"IW') AS cohort,
           count(*) AS generations, sum(gpu_ms)::bigint AS gpu_ms,
           sum(duration_ms)::bigint AS made_ms,
           coalesce(sum(duration_ms) FILTER (
               WHERE published_at <= completed_at + %(after)s
                 AND coalesce(deleted_at > completed_at + %(after)s, true)
           ), 0)::bigint AS kept_ms,
           date_trunc('week', min(completed_at) AT TIME ZONE 'UTC')
               + interval '7 days' + %(after)s <= %(at)s AS is_final
    FROM generation_costs WHERE completed_at IS NOT NULL
    GROUP BY model, work_class, cohort ORDER BY cohort DESC, model, work_class
"""


class CostRow(msgspec.Struct, frozen=True):
    """The sums of one cohort."""

    model: str
    work_class: str
    cohort: str
    generations: int
    gpu_ms: int
    made_ms: int
    kept_ms: int
    is_final: bool


class Cost(CostRow, frozen=True):
    """What the videos of one model and class took that were completed in one week.

    `kept_ms` is the length of those that were published seven days after they were completed; of
    younger ones, of those that are published now. `gpu_s_per_kept_s` divides one by the other, and
    is null while nothing is kept. `is_final`: the last of the week is seven days old.
    """

    gpu_s_per_kept_s: float | None


@get("/costs", opt={"scope": Scope.ANALYST})
async def read_costs(reads: NamedDependency[Reads]) -> list[Cost]:
    """See the GPU time by second of video kept: by model, class of work and week, newest first."""
    at = {"after": KEPT_AFTER, "at": datetime.now(UTC).replace(tzinfo=None)}
    rows = await reads.many(CostRow, COSTS, at)
    return [
        Cost(
            **msgspec.structs.asdict(row),
            gpu_s_per_kept_s=round(row.gpu_ms / row.kept_ms, 4) if row.kept_ms else None,
        )
        for row in rows
    ]


router = Router("/v1", route_handlers=[read_costs], tags=["Operations"])
