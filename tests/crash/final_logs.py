"""The logs when all is over, as the checkers take them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import psycopg

from tests.crash.checker import DomainLog, LogEvent, StoredCommand
from tests.crash.view_checker import StoredBatch, StoredView, ViewLog

# Of other events the checkers look at no field: a long log is held in memory as a whole.
_EVENTS = """
    SELECT position, originator_id, originator_version, topic, request_id,
           CASE WHEN topic ~ '^(cameo[.]|generation[.]requested)' THEN state ELSE '' END
    FROM events ORDER BY position
"""

_COMMANDS = "SELECT command_id, first_position, last_position FROM commands"

_VIEWS = """
    SELECT position, viewer_id, session_id, sequence, decision_id FROM viewings ORDER BY position
"""

_SLATES = "SELECT position FROM slates ORDER BY position"

_BATCHES = """
    SELECT viewer_id, session_id, sequence, encode(digest, 'hex'), accepted FROM viewing_batches
"""


def read_domain_log(url: str) -> DomainLog:
    """Return the domain log as it is now."""
    with psycopg.connect(url) as connection:
        events = [LogEvent(*row) for row in connection.execute(_EVENTS)]
        commands = [StoredCommand(*row) for row in connection.execute(_COMMANDS)]
    return DomainLog(events, commands)


def read_view_log(url: str) -> ViewLog:
    """Return the view log as it is now."""
    with psycopg.connect(url) as connection:
        views = [
            StoredView(position, (viewer, session, sequence), decision)
            for position, viewer, session, sequence, decision in connection.execute(_VIEWS)
        ]
        batches = [
            StoredBatch((viewer, session, sequence), digest, accepted)
            for viewer, session, sequence, digest, accepted in connection.execute(_BATCHES)
        ]
        slates = [position for (position,) in connection.execute(_SLATES)]
    return ViewLog(sorted([*slates, *(view.position for view in views)]), views, batches)


def read_streams(domain: DomainLog, views: ViewLog) -> Mapping[str, Sequence[int]]:
    """Return which positions belong on which public stream."""
    streams: defaultdict[str, list[int]] = defaultdict(list)
    for event in domain.events:
        streams[f"events.{event.topic.partition('.')[0]}"].append(event.position)
    streams["viewings"] = [view.position for view in views.views]
    streams["slates"] = sorted({*views.positions} - {*streams["viewings"]})
    return streams
