"""Pacing against the most that hindsight could have made of the same day, beside what others do.

The bound is certified by multipliers (`ads/welfare.py`), so the welfare share can only be better
than it says. Paths are judged against the plan that was made before the day began, of lines
whose budgets are worth 200 prices or more and run out at the best multipliers.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ads.targets import Mode, plan
from ads.welfare import Array
from myriorama.bench.outcome import Outcome, Progress
from myriorama.bench.pacing_days import (
    CHECKPOINTS,
    LINES,
    Days,
    Run,
    days_alike,
    days_in_order,
    paced,
    path_errors,
)
from myriorama.bench.pacing_logs import read_log, synthetic_log
from myriorama.bench.pacing_peers import Constant, LogPI, Paced, Throttled

SEEDS = (7, 8, 9)
"""Each draws other lines, budgets, and errors of the forecast; figures are their means."""

FORECAST_ERROR = 0.05
"""How far the values and the prices of the day before are off, each."""

MODES: tuple[Mode, ...] = ("even", "asap", "front")
PICTURES = Path(".myriorama/bench")
_SEED = 1458


def measure(progress: Progress, data: Path | None = None) -> Outcome:
    """Measure on a log, or on a synthetic one.

    Raises:
        FilesUnreadable: the file is no such log.
    """
    log = synthetic_log(_SEED) if data is None else read_log(data)
    found = list[Mapping[str, Mapping[str, float]]]()
    unforeseen, unplanned = list[Mapping[str, float]](), list[Mapping[str, float]]()
    for seed in SEEDS:
        days = days_alike(log, seed, FORECAST_ERROR)
        found.append(_beside_peers(days, seed))
        drifting = days_in_order(log, seed)
        unforeseen.append(_ours(drifting))
        unplanned.append(_log_pi(drifting))
        told = found[-1]["ours"]
        progress(
            f"seed {seed}: {told['welfare_over_bound']:.3f} of the bound, path error "
            f"{told['path_error_p50']:.2f} % (median), {told['path_error_p95']:.2f} % (p95)"
        )
        if seed == SEEDS[0]:
            _draw(days, progress)
    ours = _means([each["ours"] for each in found])
    surprised = {f"{name}_unforeseen": value for name, value in _means(unforeseen).items()}
    peers = {name: _means([each[name] for each in found]) for name in found[0] if name != "ours"}
    peers["log_pi_unforeseen"] = _means(unplanned)
    return Outcome(
        "pacing",
        figures={
            **ours,
            **surprised,
            "clicks_over_pctr": float(log.clicks.sum() / log.predictions.sum()),
            "auctions": float(len(log.prices)),
            "peers": peers,
        },
        ratios={},
    )


def _beside_peers(days: Days, seed: int) -> Mapping[str, Mapping[str, float]]:
    budgets = days.today.budgets
    throttled = Throttled(budgets, seed)
    runs = {
        "greedy": paced(days.today, Constant(np.ones(LINES))),
        "throttling": paced(days.today, throttled, throttled.admits),
        "hindsight": paced(days.today, Constant(days.hindsight)),
    }
    return {
        "ours": _ours(days),
        "log_pi": _log_pi(days),
        **{name: _figures(run, days, _traffic()) for name, run in runs.items()},
    }


def _ours(days: Days) -> Mapping[str, float]:
    even: list[Mode] = ["even"] * LINES
    steered = Paced(plan(days.yesterday), days.today.budgets, even)
    run = paced(days.today, steered)
    planned = np.array([steered.planned(share) for share in _checkpoints()])
    return _figures(run, days, planned)


def _log_pi(days: Days) -> Mapping[str, float]:
    return _figures(paced(days.today, LogPI(days.today.budgets)), days, _traffic())


def _figures(run: Run, days: Days, planned: Array) -> Mapping[str, float]:
    errors = 100 * path_errors(run, planned, days.judged)
    return {
        "welfare_over_bound": run.welfare / days.welfare_max,
        "path_error_p50": float(np.median(errors)) if len(errors) else math.nan,
        "path_error_p95": float(np.percentile(errors, 95)) if len(errors) else math.nan,
        "spent_share": float(run.spent.sum() / days.today.budgets.sum()),
        "overspent_micros": float(np.maximum(run.spent - days.today.budgets, 0).max()),
        "lines_judged": float(days.judged.sum()),
    }


def _means(found: list[Mapping[str, float]]) -> Mapping[str, float]:
    """Return means over the draws; a short log may have draws without a line to judge."""
    known = {
        name: [each[name] for each in found if not math.isnan(each[name])] for name in found[0]
    }
    return {name: float(np.mean(each)) if each else math.nan for name, each in known.items()}


def _checkpoints() -> Array:
    return np.arange(1, CHECKPOINTS + 1) / CHECKPOINTS


def _traffic() -> Array:
    return np.repeat(_checkpoints()[:, None], LINES, axis=1)


def _draw(days: Days, progress: Progress) -> None:
    """Draw a day on which the modes are mixed, if the `train` extra is installed."""
    try:
        from myriorama.bench.pacing_pictures import plot_mode  # noqa: PLC0415
    except ModuleNotFoundError:
        progress("no pictures without matplotlib, which the `train` extra brings")
        return
    modes: list[Mode] = [MODES[line % len(MODES)] for line in range(LINES)]
    steered = Paced(plan(days.yesterday), days.today.budgets, modes)
    run = paced(days.today, steered)
    planned = np.array([steered.planned(share) for share in _checkpoints()])
    PICTURES.mkdir(parents=True, exist_ok=True)
    for mode in MODES:
        lines = [line for line in np.flatnonzero(days.judged) if modes[line] == mode]
        plot_mode(mode, run.path[:, lines], planned[:, lines], PICTURES / f"pacing-{mode}.png")
    progress(f"spend against plan of each mode: {PICTURES}/pacing-*.png")
