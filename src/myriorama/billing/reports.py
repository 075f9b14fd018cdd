"""A batch of reports by columns, as it is read of the log, and as charges take it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import TupleRow

from ads.beacons import BILLED, Beacon
from ads.lines import KINDS
from ads.tokens import Tokens, columns, days
from myriorama.billing.charges import Due
from myriorama.store.view_arrays import Bigints, Integers, Texts, UUIDs

Column = NDArray[Any]

_BILLED = np.array([BILLED[kind] for kind in KINDS])


@dataclass(frozen=True)
class Reports:
    """Reports whose tokens were signed here, and believed when they came; `refused` were not."""

    position: Column
    reported_ms: Column
    beacon: Column
    mark: Column
    token: Column
    refused: int = 0

    @classmethod
    def of(cls, rows: Sequence[TupleRow], tokens: Tokens) -> "Reports":
        """Read rows of position, time, beacon, mark and token."""
        genuine = [row for row in rows if tokens.is_genuine(row[4])]
        position, at_ms, beacon, mark, token = (
            zip(*genuine, strict=True) if genuine else ((), (), (), (), ())
        )
        reports = cls(
            np.array(position, np.int64),
            np.array(at_ms, np.int64),
            np.array(beacon, np.int64),
            np.array(mark, object),
            columns(token),
        )
        believed = reports._where(reports.reported_ms < reports.token["expires_ms"])
        return replace(believed, refused=len(rows) - len(believed))

    def __len__(self) -> int:
        return len(self.position)

    @property
    def decision_id(self) -> Column:
        """Return the decisions that placed the ads, 16 bytes each."""
        return self.token["decision_id"]

    def of_beacon(self, beacon: Beacon) -> "Reports":
        """Return those of one kind."""
        return self._where(self.beacon == beacon)

    def unmarked(self) -> "Reports":
        """Return those that are not known for invalid traffic."""
        return self._where(np.array([mark is None for mark in self.mark], bool))

    def rows(self, numbers: Sequence[int]) -> "Reports":
        """Return some of them, by their numbers."""
        return self._where(np.array(numbers, np.int64))

    def but(self, others: "Reports") -> "Reports":
        """Return them without some."""
        return self._where(~np.isin(self.position, others.position))

    def and_others(self, others: "Reports | None") -> "Reports":
        """Return them and others, the earliest first."""
        if others is None:
            return self
        both = Reports(
            np.concatenate([self.position, others.position]),
            np.concatenate([self.reported_ms, others.reported_ms]),
            np.concatenate([self.beacon, others.beacon]),
            np.concatenate([self.mark, others.mark]),
            np.concatenate([self.token, others.token]),
        )
        return both._where(np.argsort(both.position, kind="stable"))

    def parameters(self) -> tuple[object, ...]:
        """Return the columns of charges, up to the price and the mark."""
        token = self.token
        return (
            Bigints(self.position),
            Bigints(self.reported_ms),
            Integers(self.beacon),
            UUIDs(token["decision_id"]),
            UUIDs(token["line_id"]),
            UUIDs(token["creative_id"]),
            UUIDs(token["advertiser_id"]),
            Integers(days(token)),
            Bigints(token["lease_id"]),
            Integers(token["position"]),
            Integers(token["surface"]),
            Bigints(self._micros()),
            Texts(self.mark.tolist()),
        )

    def waiting(self) -> tuple[object, ...]:
        """Return the columns of early clicks."""
        return (
            UUIDs(self.decision_id),
            Bigints(self.position),
            Bigints(self.reported_ms),
            Bigints(self.token["expires_ms"]),
            [each.tobytes() for each in self.token],
        )

    def due(self, positions: Sequence[int]) -> Sequence[Due]:
        """Return what is due for the reports at some positions."""
        some = self._where(np.isin(self.position, np.array(positions, np.int64)))
        token = some.token
        known: dict[bytes, UUID] = {}

        def ids(column: Column) -> list[UUID]:
            return [known.get(i) or known.setdefault(i, UUID(bytes=i)) for i in column.tolist()]

        return [
            *map(
                Due,
                some.position.tolist(),
                token["decision_id"].tolist(),
                some.beacon.tolist(),
                ids(token["line_id"]),
                ids(token["advertiser_id"]),
                days(token).tolist(),
                token["lease_id"].tolist(),
                token["price_micros"].tolist(),
            )
        ]

    def _micros(self) -> Column:
        """Return the price of what bills and is not known for invalid traffic, else 0."""
        bills = _BILLED[self.token["kind"]] == self.beacon
        unmarked = np.array([mark is None for mark in self.mark], bool)
        return np.where(bills & unmarked, self.token["price_micros"], 0)

    def _where(self, chosen: Column) -> "Reports":
        return Reports(
            self.position[chosen],
            self.reported_ms[chosen],
            self.beacon[chosen],
            self.mark[chosen],
            self.token[chosen],
            self.refused,
        )
