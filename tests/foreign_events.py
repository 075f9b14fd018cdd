"""Stores events in the log as another release would: with states that are not of ours."""

from uuid import uuid4

from domain.invitation.events import InvitationIssued
from myriorama.store.postgres import Pool

INSERT = """
    INSERT INTO events (position, originator_id, originator_version, topic, state)
    SELECT coalesce(max(position), 0) + 1, %s, 1, %s, %s FROM events
"""


def insert(pool: Pool, *states: str, topic: str = InvitationIssued.TOPIC) -> None:
    """Store each state behind what is there, the first event of an aggregate of its own."""
    with pool.connection() as connection, connection.transaction():
        connection.execute("SET LOCAL ROLE myriorama_recorder")
        for state in states:
            connection.execute(INSERT, (uuid4(), topic, state.encode()))
