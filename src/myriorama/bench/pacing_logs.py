"""A log of auctions that were won once: what each took, and how likely a click was said to be.

Any log with these columns will do. Without one, a synthetic log stands in, which has what makes
pacing hard: prices and values that wander over the day, and values with a heavy tail.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from myriorama.bench.outcome import FilesUnreadable

ROWS_MIN = 20_000
_COLUMNS = ("click", "price", "pctr")
_TAIL = 0.99
_ROWS = 200_000
_KNOTS = 400

Array = NDArray[np.float64]


class AuctionLog(NamedTuple):
    """Rows in the order of their auctions: a price in micros, a prediction, and what happened."""

    prices: Array
    predictions: Array
    clicks: NDArray[np.bool_]


def read_log(path: Path) -> AuctionLog:
    """Read a CSV or Parquet file with the columns click (0 or 1), price (micros) and pctr.

    Predictions are cut at their 99th percentile: a single one of .9 would be worth a day.

    Raises:
        FilesUnreadable: it is no such file, a column is missing, or a row cannot be.
    """
    try:
        scan = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path)
        present = scan.collect_schema().names()
        missing = [name for name in _COLUMNS if name not in present]
        if missing:
            raise FilesUnreadable(f"{path}: no column {missing[0]}; there are {present}")
        rows = scan.select(pl.col(name).cast(pl.Float64) for name in _COLUMNS).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FilesUnreadable(f"{path}: {str(error).splitlines()[0]}") from error
    if rows.height < ROWS_MIN:
        raise FilesUnreadable(f"{path}: {rows.height} rows are too few, {ROWS_MIN} are enough")
    click, price, pctr = (rows[name].fill_null(np.nan).to_numpy() for name in _COLUMNS)
    rules = {
        "click is neither 0 nor 1": (click == 0) | (click == 1),
        "price is no amount of micros": np.isfinite(price) & (price >= 0),
        "pctr is no probability": (pctr >= 0) & (pctr <= 1),
    }
    for rule, holds in rules.items():
        if not holds.all():
            raise FilesUnreadable(f"{path}: row {int(np.argmin(holds)) + 1}: {rule}")
    if not price.any() or not pctr.any():
        raise FilesUnreadable(f"{path}: every price or every pctr is zero")
    return AuctionLog(price, np.minimum(pctr, np.quantile(pctr, _TAIL)), click == 1)


def synthetic_log(seed: int, rows: int = _ROWS) -> AuctionLog:
    """Return a log whose prices and predictions wander and have days and nights."""
    chance = np.random.default_rng(seed)
    cheap, likely = (
        np.log(wandering(rows, chance, 0.25)) + 0.25 * np.sin(_days(rows, chance, 3.5))
        for _ in range(2)
    )
    prices = np.clip(chance.lognormal(3.9 + cheap, 0.8), 1, 300).round()
    dearer = 0.15 * (np.log(prices) - 3.9)
    predictions = np.minimum(chance.lognormal(-7.0 + likely + dearer, 1.0), 1.0)
    clicks = chance.random(rows) < predictions
    return AuctionLog(prices, np.minimum(predictions, np.quantile(predictions, _TAIL)), clicks)


def wandering(rows: int, chance: np.random.Generator, deviation: float) -> Array:
    """Return a factor for each row that wanders smoothly about 1, some ten times a log."""
    keep = np.exp(-10 / _KNOTS)
    level = chance.normal()
    levels = list[float]()
    for fresh in chance.normal(size=_KNOTS):
        level = keep * level + np.sqrt(1 - keep * keep) * fresh
        levels.append(level * deviation)
    factor: Array = np.exp(np.interp(np.linspace(0, 1, rows), np.linspace(0, 1, _KNOTS), levels))
    return factor


def _days(rows: int, chance: np.random.Generator, count: float) -> Array:
    turns: Array = 2 * np.pi * (np.linspace(0, count, rows) + chance.random())
    return turns
