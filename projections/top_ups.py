"""Top-ups: money on its way into wallets, and how far each has come.

Read by the API, and by the cashier, which asks after what is not settled.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.top_up.events import (
    ChargeSubmitted,
    CheckoutOpened,
    SurplusReceived,
    TopUpActionRequired,
    TopUpEvent,
    TopUpFailed,
    TopUpRequested,
    TopUpSucceeded,
    TopUpUnresolved,
)
from projections.projection import Projection, Recorded

REQUEST = """
    INSERT INTO top_ups (top_up_id, advertiser_id, amount_micros, currency, method, state,
                         requested_at, changed_at, requested_position, position)
    VALUES (%s, %s, %s, %s, %s, 'requested', %s, %s, %s, %s)
"""

MOVE = """
    UPDATE top_ups SET state = %s, changed_at = %s, position = %s, checkout_url = %s,
                       failure_code = %s, payment_id = coalesce(%s, payment_id)
    WHERE top_up_id = %s
"""

TOUCH = "UPDATE top_ups SET changed_at = %s, position = %s WHERE top_up_id = %s"


class TopUps(Projection[TopUpEvent]):
    """One row a top-up; `checkout_url` is there while the page can be paid on."""

    name = "top_ups"
    tables = ("top_ups",)
    topics = (
        TopUpRequested.TOPIC,
        ChargeSubmitted.TOPIC,
        CheckoutOpened.TOPIC,
        TopUpSucceeded.TOPIC,
        SurplusReceived.TOPIC,
        TopUpFailed.TOPIC,
        TopUpActionRequired.TOPIC,
        TopUpUnresolved.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[TopUpEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event, position, of = recorded.event, recorded.position, recorded.event.originator_id
            moved = (event.timestamp, position)
            match event:
                case TopUpRequested():
                    wanted = (event.advertiser_id, event.amount_micros, event.currency)
                    places = (event.timestamp, *moved, position)
                    cursor.execute(REQUEST, (of, *wanted, event.method, *places))
                case ChargeSubmitted():
                    cursor.execute(MOVE, ("submitted", *moved, None, None, None, of))
                case CheckoutOpened():
                    cursor.execute(MOVE, ("open", *moved, event.url, None, None, of))
                case TopUpSucceeded():
                    cursor.execute(MOVE, ("succeeded", *moved, None, None, event.payment_id, of))
                case TopUpFailed():
                    cursor.execute(MOVE, ("failed", *moved, None, event.code, None, of))
                case TopUpActionRequired():
                    paid = event.payment_id
                    cursor.execute(MOVE, ("action_required", *moved, None, None, paid, of))
                case TopUpUnresolved():
                    cursor.execute(MOVE, ("unresolved", *moved, None, None, None, of))
                case SurplusReceived():
                    cursor.execute(TOUCH, (*moved, of))
                case _:
                    assert_never(event)
