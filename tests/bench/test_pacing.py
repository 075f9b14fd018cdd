"""The pacing bench: logs that are none are refused, and its days hold what it says of them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ads.targets import Mode, plan
from ads.welfare import certified
from myriorama.bench.outcome import FilesUnreadable
from myriorama.bench.pacing_days import LINES, days_alike, paced
from myriorama.bench.pacing_logs import ROWS_MIN, read_log, synthetic_log
from myriorama.bench.pacing_peers import Constant, Paced

EVEN: list[Mode] = ["even"] * LINES


def rows(**other: object) -> pl.DataFrame:
    """Return a log of as many rows as it takes, all alike."""
    columns = {"click": 0, "price": 70, "pctr": 0.001} | other
    return pl.DataFrame({name: [value] * ROWS_MIN for name, value in columns.items()})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_log_is_read_from_either_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"log.{suffix}"
    log = rows(exchange=3)
    log.write_csv(path) if suffix == "csv" else log.write_parquet(path)

    found = read_log(path)

    assert len(found.prices) == ROWS_MIN
    assert found.prices[0] == 70
    assert not found.clicks.any()


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (rows().drop("pctr"), "no column pctr"),
        (rows().head(100), "100 rows are too few"),
        (rows(click=2), "row 1: click is neither 0 nor 1"),
        (rows(price=-1), "row 1: price is no amount"),
        (rows(pctr=1.5), "row 1: pctr is no probability"),
        (rows(price=None), "row 1: price is no amount"),
        (rows(price=0), "every price"),
        (rows(price="dear"), "conversion"),
    ],
)
def test_a_log_that_cannot_be_is_refused_with_the_reason(
    tmp_path: Path, log: pl.DataFrame, told: str
) -> None:
    path = tmp_path / "log.csv"
    log.write_csv(path)

    with pytest.raises(FilesUnreadable, match=told):
        read_log(path)


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.parquet").write_bytes(b"PAR1 not")
    (tmp_path / "empty.csv").touch()

    for name in ("log.parquet", "empty.csv", "missing.csv"):
        with pytest.raises(FilesUnreadable):
            read_log(tmp_path / name)


def test_a_paced_day_stays_within_budgets_and_gains_more_than_greed_does() -> None:
    days = days_alike(synthetic_log(3, rows=30_000), seed=1, error=0.05)

    ours = paced(days.today, Paced(plan(days.yesterday), days.today.budgets, EVEN))
    greedy = paced(days.today, Constant(np.ones(LINES)))

    assert (ours.spent <= days.today.budgets + 1e-6).all()
    assert (greedy.spent <= days.today.budgets + 1e-6).all()
    assert greedy.welfare < 0.9 * days.welfare_max < ours.welfare <= days.welfare_max
    assert certified(days.today, days.hindsight)[0] == days.welfare_max


def test_lines_that_spend_at_once_are_done_before_those_that_spend_evenly() -> None:
    days = days_alike(synthetic_log(3, rows=30_000), seed=1, error=0.05)
    orders: list[Mode] = ["even", "asap", "front"]
    modes: list[Mode] = [orders[line % 3] for line in range(LINES)]

    run = paced(days.today, Paced(plan(days.yesterday), days.today.budgets, modes))

    half = run.path[49]
    even, asap, front = (float(np.median(half[place::3])) for place in range(3))
    assert even < front < asap
