"""The benchmarks by their names, which scripts and users depend on.

Every command knows of all of them, so what measures is imported when it measures: some of it
needs extras, or takes seconds to import.
"""

from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import cast

from myriorama.bench.outcome import Outcome, Progress

MODULES: Mapping[str, str] = {
    "append": "appending",
    "calibration": "calibrating",
    "decision": "deciding",
    "e2e": "publishing",
    "exploration": "exploring",
    "feed": "ranking_calls",
    "fold": "folding",
    "generation": "generating",
    "http": "feed_over_http",
    "latency": "latency",
    "leases": "leasing",
    "queue": "queueing",
    "relay": "relaying",
    "replay": "replaying",
    "scroll": "demo_scroll",
    "settlement": "settling",
    "views": "viewing",
}
"""The module of each, which has a function `measure`."""

MODULES_OF_FILES: Mapping[str, str] = {"ranking": "ranking"}
"""These measure on public files that do not come with the project, from a day on."""

MODULES_OF_LOGS: Mapping[str, str] = {"pacing": "pacing"}
"""These measure on a log of auctions, or without one on what they make up."""


def _measure_of(module: str) -> Callable[..., Outcome]:
    def measure(*asked: object) -> Outcome:
        return cast("Outcome", import_module(f"myriorama.bench.{module}").measure(*asked))

    return measure


BENCHES: Mapping[str, Callable[[Progress], Outcome]] = {
    name: _measure_of(module) for name, module in MODULES.items()
}

BENCHES_OF_FILES: Mapping[str, Callable[[Progress, Path, date], Outcome]] = {
    name: _measure_of(module) for name, module in MODULES_OF_FILES.items()
}

BENCHES_OF_LOGS: Mapping[str, Callable[[Progress, Path | None], Outcome]] = {
    name: _measure_of(module) for name, module in MODULES_OF_LOGS.items()
}
