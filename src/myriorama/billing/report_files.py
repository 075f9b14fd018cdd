"""Reports of spending as files: CSV for spreadsheets, Parquet for everything else.

Nothing in them is text that somebody wrote: a cell can be no formula.
"""

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Literal

import polars as pl

from ads.beacons import Beacon
from myriorama.billing.spend_reports import Row

Format = Literal["csv", "parquet"]

MEDIA_TYPES: Mapping[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}

_SUMS = (
    "charged",
    "credited",
    "leaked",
    "charged_micros",
    "credited_micros",
    "net_micros",
    "leaked_micros",
)
_SCHEMA: Mapping[str, Any] = {
    "day": pl.Date,
    "campaign_id": pl.String,
    "line_item_id": pl.String,
    "kind": pl.String,
    "creative_id": pl.String,
    "surface": pl.Int64,
    "place": pl.Int64,
    "withheld": pl.Boolean,
    "currency": pl.String,
    "served": pl.Int64,
    **{
        f"{beacon.name.lower()}_{counted}": pl.Int64
        for beacon in Beacon
        for counted in ("gross", "invalid", "net")
    },
    **dict.fromkeys(_SUMS, pl.Int64),
}


def report_file(rows: Iterable[Row], kind: Format, *, currency: str) -> bytes:
    """Return a report as the bytes of a file. Money is whole micros of the currency."""
    table = pl.DataFrame([_flat(row, currency) for row in rows], schema=_SCHEMA)
    target = BytesIO()
    if kind == "csv":
        table.write_csv(target)
    else:
        table.write_parquet(target, compression="zstd")
    return target.getvalue()


def _flat(row: Row, currency: str) -> dict[str, object]:
    of, sums = row
    counts = {
        f"{beacon.name.lower()}_{name}": number
        for beacon in Beacon
        for name, number in (
            ("gross", sums.gross[beacon]),
            ("invalid", sums.invalid[beacon]),
            ("net", sums.gross[beacon] - sums.invalid[beacon]),
        )
    }
    ids = {name: str(value) if value else None for name, value in vars(of).items() if "_id" in name}
    money = {name: getattr(sums, name) for name in _SUMS}
    return {**vars(of), **ids, "currency": currency, "served": sums.served, **counts, **money}
