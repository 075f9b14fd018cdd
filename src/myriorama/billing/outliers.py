"""Traffic that only many decisions together give away: what was charged for it is given back.

Viewers are told apart, and who invited them; devices are not: nothing tells them apart here, and
nothing should. A tree of invitations is named by the account that nobody's invitation brought.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import numpy as np
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.beacons import BILLED, Beacon
from ads.traffic_outliers import THRESHOLDS, Thresholds, Viewers, marks_of
from myriorama.billing.credits import credit

LOOKED_BACK = timedelta(days=1)

_AT_ONCE = 1000
_VIEWERS_AT_ONCE = 100

# A tree is a number of forty-eight bits out of its root's ID: what it has of chance.
_SERVED = """
    WITH RECURSIVE trees AS (
        SELECT account_id, account_id AS root FROM accounts WHERE invited_by IS NULL
        UNION ALL
        SELECT a.account_id, t.root FROM accounts a JOIN trees t ON a.invited_by = t.account_id
    ), viewers AS (
        SELECT d.viewer_id, count(*) AS served, count(c.decision_id) AS clicks
        FROM ad_decisions d LEFT JOIN charges c
          ON c.decision_id = d.ad_decision_id AND c.beacon = %(click)s AND c.mark IS NULL
        WHERE d.decided_at > clock_timestamp() - %(since)s AND d.feed <> 'sandbox'
        GROUP BY d.viewer_id
    )
    SELECT v.viewer_id, ('x' || right(coalesce(t.root, v.viewer_id)::text, 12))::bit(48)::bigint,
           v.served, v.clicks
    FROM viewers v LEFT JOIN trees t ON t.account_id = v.viewer_id
"""

_OWED = """
    SELECT d.ad_decision_id FROM ad_decisions d
    WHERE d.viewer_id = ANY(%(viewers)s) AND d.decided_at > clock_timestamp() - %(since)s
      AND d.feed <> 'sandbox'
      AND EXISTS (SELECT FROM charges c WHERE c.decision_id = d.ad_decision_id AND c.micros > 0
                  AND NOT EXISTS (SELECT FROM credits r WHERE (r.decision_id, r.beacon)
                                                            = (c.decision_id, c.beacon)))
"""

# Few bytes a viewer, however much each was served.
_ROW = np.dtype([("viewer", "V16"), ("tree", "u8"), ("served", "f8"), ("clicks", "f8")])


def credit_outliers(
    connection: Connection[TupleRow],
    *,
    since: timedelta = LOOKED_BACK,
    thresholds: Thresholds = THRESHOLDS,
) -> Mapping[str, int]:
    """Give back what was charged of late for traffic that stands out; how many micros, by rule.

    What was given back before stays so, and is not given back again.
    """
    asked = {"click": int(Beacon.CLICK), "since": since}
    with connection.transaction(), connection.cursor("served") as cursor:
        cursor.execute(_SERVED, asked)
        rows = np.fromiter(((row[0].bytes, *row[1:]) for row in cursor), _ROW)
    marks = marks_of(Viewers(rows["tree"], rows["served"], rows["clicks"]), thresholds)
    found = defaultdict[str, list[UUID]](list)
    for row, mark in enumerate(marks):
        if mark is not None:
            found[mark.rule].append(UUID(bytes=rows["viewer"][row].tobytes()))
    credited = defaultdict[str, int](int)
    for rule, viewers in found.items():
        for start in range(0, len(viewers), _VIEWERS_AT_ONCE):
            some = viewers[start : start + _VIEWERS_AT_ONCE]
            owed = connection.execute(_OWED, {"viewers": some, "since": since})
            if decisions := [decision_id for (decision_id,) in owed]:
                credited[rule] += _credited(connection, decisions, rule)
    return dict(credited)


def _credited(connection: Connection[TupleRow], decisions: list[UUID], rule: str) -> int:
    micros = 0
    for start in range(0, len(decisions), _AT_ONCE):
        some = decisions[start : start + _AT_ONCE]
        told = [(decision_id, beacon) for decision_id in some for beacon in BILLED.values()]
        micros += credit(connection, told, reason=rule)
    return micros
