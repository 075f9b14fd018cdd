"""The benchmarks by their names, which scripts and users depend on."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from myriorama.bench import (
    appending,
    demo_scroll,
    exploring,
    feed_over_http,
    folding,
    generating,
    latency,
    publishing,
    queueing,
    ranking,
    ranking_calls,
    relaying,
    replaying,
    viewing,
)
from myriorama.bench.outcome import Outcome, Progress

BENCHES: Mapping[str, Callable[[Progress], Outcome]] = {
    "append": appending.measure,
    "e2e": publishing.measure,
    "exploration": exploring.measure,
    "feed": ranking_calls.measure,
    "fold": folding.measure,
    "generation": generating.measure,
    "http": feed_over_http.measure,
    "latency": latency.measure,
    "queue": queueing.measure,
    "relay": relaying.measure,
    "replay": replaying.measure,
    "scroll": demo_scroll.measure,
    "views": viewing.measure,
}

# These measure on public files that do not come with the project, from a day on.
BENCHES_OF_FILES: Mapping[str, Callable[[Progress, Path, date], Outcome]] = {
    "ranking": ranking.measure,
}
