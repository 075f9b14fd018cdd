"""Traffic that only many decisions together give away: what was charged for it is given back.

Viewers stand for their devices: nothing tells devices apart here, and nothing should. A tree of
invitations is named by the account that nobody's invitation brought.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import numpy as np
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.beacons import BILLED, Beacon
from ads.traffic_outliers import THRESHOLDS, Decisions, Thresholds, marks_of
from myriorama.billing.credits import credit

LOOKED_BACK = timedelta(days=1)

_AT_ONCE = 1000

# Numbers of sixty-four bits out of IDs: what they have of chance.
_SHOWN = """
    WITH RECURSIVE trees AS (
        SELECT account_id, account_id AS root FROM accounts WHERE invited_by IS NULL
        UNION ALL
        SELECT a.account_id, t.root FROM accounts a JOIN trees t ON a.invited_by = t.account_id
    )
    SELECT d.ad_decision_id, ('x' || right(d.viewer_id::text, 12))::bit(48)::bigint,
           ('x' || right(coalesce(t.root, d.viewer_id)::text, 12))::bit(48)::bigint,
           EXISTS (SELECT FROM charges c WHERE c.decision_id = d.ad_decision_id
                   AND c.beacon = %(click)s AND c.mark IS NULL),
           EXISTS (SELECT FROM charges c WHERE c.decision_id = d.ad_decision_id AND c.micros > 0
                   AND NOT EXISTS (SELECT FROM credits r WHERE (r.decision_id, r.beacon)
                                                             = (c.decision_id, c.beacon)))
    FROM ad_decisions d LEFT JOIN trees t ON t.account_id = d.viewer_id
    WHERE d.decided_at > clock_timestamp() - %(since)s AND d.feed <> 'sandbox'
"""


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
    rows = connection.execute(_SHOWN, asked).fetchall()
    if not rows:
        return {}
    ids, viewers, trees, clicked, is_owed = zip(*rows, strict=True)
    own = np.array(viewers, np.uint64)
    marks = marks_of(
        Decisions(own, own, np.array(trees, np.uint64), np.array(clicked, np.bool_)), thresholds
    )
    found = defaultdict[str, list[UUID]](list)
    for decision_id, mark, owed in zip(ids, marks, is_owed, strict=True):
        if mark is not None and owed:
            found[mark.rule].append(decision_id)
    return {rule: _credited(connection, decisions, rule) for rule, decisions in found.items()}


def _credited(connection: Connection[TupleRow], decisions: list[UUID], rule: str) -> int:
    micros = 0
    for start in range(0, len(decisions), _AT_ONCE):
        some = decisions[start : start + _AT_ONCE]
        told = [(decision_id, beacon) for decision_id in some for beacon in BILLED.values()]
        micros += credit(connection, told, reason=rule)
    return micros
