"""Rankings: by which policy and model the feed is and was ranked, and what is tried out in it.

Read by those who run the house; the ranking itself folds the same events in memory.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.ranking.events import (
    ExperimentEnded,
    ExperimentStarted,
    RankingModelActivated,
    RankingPolicyActivated,
)
from projections.projection import Projection, Recorded

ACTIVATE = """
    INSERT INTO ranking_activations (position, kind, name, policy, activated_by, activated_at)
    VALUES (%s, %s, %s, %s, %s, %s)
"""

START = """
    INSERT INTO experiments (experiment_id, name, layer, bucket_first, buckets, arms, started_by,
                             started_at, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

END = "UPDATE experiments SET ended_at = %s, position = %s WHERE experiment_id = %s"


Shown = RankingPolicyActivated | RankingModelActivated | ExperimentStarted | ExperimentEnded


class Rankings(Projection[Shown]):
    """One row an activation, and one an experiment."""

    name = "rankings"
    tables = ("ranking_activations", "experiments")
    topics = (
        RankingPolicyActivated.TOPIC,
        RankingModelActivated.TOPIC,
        ExperimentStarted.TOPIC,
        ExperimentEnded.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Shown]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event, position, at = recorded.event, recorded.position, recorded.event.timestamp
            match event:
                case RankingPolicyActivated():
                    named = ("policy", event.version, event.policy)
                    cursor.execute(ACTIVATE, (position, *named, event.by, at))
                case RankingModelActivated():
                    digest = ("model", event.digest, None)
                    cursor.execute(ACTIVATE, (position, *digest, event.by, at))
                case ExperimentStarted():
                    tried = (event.experiment_id, event.name, event.layer)
                    dealt = (event.bucket_first, event.buckets, event.arms)
                    cursor.execute(START, (*tried, *dealt, event.by, at, position))
                case ExperimentEnded():
                    cursor.execute(END, (at, position, event.experiment_id))
                case _:
                    assert_never(event)
