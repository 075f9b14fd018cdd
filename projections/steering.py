"""Steering: what people said of their feeds. Read by them, to show, edit and undo it.

The ranking does not read these tables: it folds the events itself.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.steering.events import (
    HistoryForgotten,
    LessAsked,
    LessTakenBack,
    PersonalisationSwitched,
    RuleAdded,
    RuleChanged,
    RuleRemoved,
    SteeringReset,
)
from projections.projection import Projection, Recorded

ADD = """
    INSERT INTO steering_rules (rule_id, account_id, kind, about, terms, author_id, strength,
                                expires_at, said, added_at, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

CHANGE = "UPDATE steering_rules SET strength = %s, expires_at = %s WHERE rule_id = %s"

REMOVE = "DELETE FROM steering_rules WHERE rule_id = %s"

REMOVE_ALL = "DELETE FROM steering_rules WHERE account_id = %s"

LESS = "INSERT INTO lessened_videos VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"

NOT_LESS = "DELETE FROM lessened_videos WHERE account_id = %s AND video_id = %s"

NOTHING_LESS = "DELETE FROM lessened_videos WHERE account_id = %s"

SWITCH = """
    INSERT INTO personalisation (account_id, personalised, position) VALUES (%s, %s, %s)
    ON CONFLICT (account_id) DO UPDATE
    SET personalised = excluded.personalised, position = excluded.position
"""

FORGET = """
    INSERT INTO personalisation (account_id, forgotten_at, position) VALUES (%s, %s, %s)
    ON CONFLICT (account_id) DO UPDATE
    SET forgotten_at = excluded.forgotten_at, position = excluded.position
"""

Steered = (
    RuleAdded
    | RuleChanged
    | RuleRemoved
    | SteeringReset
    | LessAsked
    | LessTakenBack
    | PersonalisationSwitched
    | HistoryForgotten
)


class Steering(Projection[Steered]):
    """A row a rule, a row a video of which less was asked, and one of the choices of an account."""

    name = "steering"
    tables = ("steering_rules", "lessened_videos", "personalisation")
    topics = (
        RuleAdded.TOPIC,
        RuleChanged.TOPIC,
        RuleRemoved.TOPIC,
        SteeringReset.TOPIC,
        LessAsked.TOPIC,
        LessTakenBack.TOPIC,
        PersonalisationSwitched.TOPIC,
        HistoryForgotten.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Steered]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            account_id = event.account_id
            match event:
                case RuleAdded():
                    cursor.execute(ADD, _row(event, position))
                case RuleChanged():
                    cursor.execute(CHANGE, (event.strength, event.expires_at, event.rule_id))
                case RuleRemoved():
                    cursor.execute(REMOVE, (event.rule_id,))
                case SteeringReset():
                    cursor.execute(REMOVE_ALL, (account_id,))
                    cursor.execute(NOTHING_LESS, (account_id,))
                case LessAsked():
                    asked = (account_id, event.video_id, event.timestamp, position)
                    cursor.execute(LESS, asked)
                case LessTakenBack():
                    cursor.execute(NOT_LESS, (account_id, event.video_id))
                case PersonalisationSwitched():
                    cursor.execute(SWITCH, (account_id, event.personalised, position))
                case HistoryForgotten():
                    cursor.execute(FORGET, (account_id, event.timestamp, position))
                case _:
                    assert_never(event)


def _row(event: RuleAdded, position: int) -> tuple[object, ...]:
    return (
        event.rule_id,
        event.account_id,
        event.kind,
        event.about,
        list(event.terms),
        event.author_id,
        event.strength,
        event.expires_at,
        event.said,
        event.timestamp,
        position,
    )
