"""The tables of experiments, for those who run the ranking: what became of each arm."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from myriorama.web.asking import Api, PageRequest, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.rendering import render

_BUCKETS = 10_000
_WHOLE_FROM = 100


class Line(NamedTuple):
    """A metric in words; a share is told in per cent of the people, all else by person."""

    metric: str
    words: str
    is_share: bool = False


class Cell(NamedTuple):
    """What an arm came to in a metric; the verdict is "better", "worse", "even" or "" (untold)."""

    mean: str
    total: str
    difference: str | None
    interval: str | None
    verdict: str


GROUPS: Mapping[str, tuple[Line, ...]] = {
    "What it is for": (
        Line("created_24h", "published within 24 h", is_share=True),
        Line("creations", "videos published"),
        Line("remixes", "remixes published"),
    ),
    "Watching": (
        Line("views", "videos watched"),
        Line("watched_s", "seconds watched"),
        Line("likes", "likes"),
        Line("comments", "comments"),
        Line("shares", "shares"),
    ),
    "What must not suffer": (
        Line("returned", "back a day later or more", is_share=True),
        Line("skips", "skipped at once"),
        Line("less", "asked for less"),
        Line("reports", "reports"),
    ),
}


@get("/experiments")
async def show_experiments(api: NamedDependency[Api]) -> Response[str]:
    """Show what is and was tried out."""
    experiments = await api.get("/v1/rankings/experiments")
    return render("experiments.html", experiments=experiments, buckets=_BUCKETS)


@get("/experiments/{experiment_id:uuid}")
async def show_experiment(
    request: PageRequest, experiment_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str]:
    """Show the table of one experiment."""
    table = await api.get(f"/v1/rankings/experiments/{experiment_id}")
    outcomes = table["outcomes"]
    groups = {
        name: [
            (line.words, [cell(line, outcome["metrics"][line.metric]) for outcome in outcomes])
            for line in lines
        ]
        for name, lines in GROUPS.items()
    }
    return render(
        "experiment.html",
        experiment=table["experiment"],
        buckets=_BUCKETS,
        outcomes=outcomes,
        policies=[arm["policy"] for arm in table["experiment"]["arms"]],
        shares=[arm["share"] for arm in table["experiment"]["arms"]],
        dealing=table["dealing"],
        groups=groups,
        may_end=request.user is not None and "admin" in request.user.scopes,
    )


def cell(line: Line, measure: Mapping[str, Any]) -> Cell:
    """Put a measure into words."""
    difference, low, high = measure["difference"], measure["low"], measure["high"]
    interval = None
    if low is not None and high is not None:
        interval = f"{_signed(line, low)} to {_signed(line, high)}"
    harm_or_help = "worse" if measure["is_worse"] else "better" if measure["is_better"] else "even"
    return Cell(
        mean=_figure(line, measure["per_account"]),
        total=f"{measure['total']:,.0f}",
        difference=None if difference is None else _signed(line, difference),
        interval=interval,
        verdict=harm_or_help if interval else "",
    )


def _figure(line: Line, value: float) -> str:
    if line.is_share:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:.3g}"


def _signed(line: Line, value: float) -> str:
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else "\N{PLUS-MINUS SIGN}"
    return sign + _figure(line, abs(value))


router = Router(
    "/web",
    route_handlers=[show_experiments, show_experiment],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted, and refused, there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
