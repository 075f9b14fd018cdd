"""The learner of chances: fits how likely ads are to be seen and clicked to what came of them.

One learns at a time, beside the pacer. Without it, what was published last stays in force.
"""

import threading

import structlog
from prometheus_client import Counter, Gauge
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.chances import learn
from myriorama.feed.ad_chances import examples, publish, ratio_of_last_day, read_in_force

logger = structlog.get_logger(__name__)

LEARNT_EVERY_S = 600.0

_RATIO = Gauge(
    "myriorama_ad_calibration_ratio",
    "What came over what was expected of the ads of the last day",
    ["event"],
)
_REFUSED = Counter(
    "myriorama_ad_chances_refused", "Fitted chances that were not published, by why", ["reason"]
)


class ChanceLearner:
    """Works as one who is elected."""

    def __init__(self, *, every_s: float = LEARNT_EVERY_S) -> None:
        """Take how often is learnt."""
        self._every_s = every_s

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Learn until told to stop."""
        while not stopping.is_set():
            self.step(connection)
            stopping.wait(self._every_s)

    def step(self, connection: Connection[TupleRow]) -> int | None:
        """Learn once; return the version that was published, if one was."""
        believed = read_in_force(connection)
        ratio = ratio_of_last_day(connection, believed)
        _RATIO.labels("view").set(ratio.view)
        _RATIO.labels("click").set(ratio.click)
        shown = examples(connection)
        try:
            learnt = learn(shown, believed)
        except ValueError as error:
            _REFUSED.labels("unfit").inc()
            logger.warning("chances could not be fitted", error=str(error))
            return None
        if learnt is None:
            return None
        if learnt.is_worse:
            _REFUSED.labels("worse").inc()
            logger.warning("chances were refused", before=learnt.before, after=learnt.after)
            return None
        return publish(connection, learnt, len(shown))
