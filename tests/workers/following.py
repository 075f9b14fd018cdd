"""Projections of the tests, and a projector that folds them in a process of its own."""

import os
import sys
from collections.abc import Sequence
from typing import ClassVar, Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.invitation.events import InvitationIssued
from myriorama.store.event_source import EventSource
from myriorama.store.postgres import Pool, open_pool
from myriorama.workers.projector import Projector
from projections.projection import Projection, Recorded

PATIENT = "PATIENT"


class Codes(Projection[InvitationIssued]):
    """Every code in the order it came. POISON cannot be folded, SLOW takes its time."""

    name = "codes"
    log: ClassVar[Literal["domain", "views"]] = "domain"
    tables = ("codes",)
    topics = (InvitationIssued.TOPIC,)

    def fold(self, events: Sequence[Recorded[InvitationIssued]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            if event.code == "POISON":
                raise ValueError("poison")
            cursor.execute("INSERT INTO codes VALUES (%s, %s)", (position, event.code))
            if event.code == "SLOW" and PATIENT in os.environ:
                cursor.execute("SELECT pg_sleep(600)")


class Lengths(Projection[InvitationIssued]):
    """How long each code is."""

    name = "lengths"
    tables = ("lengths",)
    topics = (InvitationIssued.TOPIC,)

    def fold(self, events: Sequence[Recorded[InvitationIssued]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            cursor.execute("INSERT INTO lengths VALUES (%s, %s)", (position, len(event.code)))


def make_tables(pool: Pool) -> None:
    """Make the tables of these projections. A second fold of an event would be a second row."""
    with pool.connection() as connection:
        connection.execute("CREATE TABLE codes (position bigint, code text)")
        connection.execute("CREATE TABLE lengths (position bigint, length bigint)")


if __name__ == "__main__":
    url = sys.argv[1]
    with open_pool(url) as opened:
        Projector({"domain": EventSource(opened)}, [Codes(), Lengths()], url=url).run()
