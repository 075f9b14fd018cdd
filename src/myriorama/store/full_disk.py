"""A full disk of PostgreSQL's, recognised whichever limit was reached, and the alarm about it."""

import psycopg
import structlog
from prometheus_client import Counter

logger = structlog.get_logger(__name__)

# Where the server makes a table longer. A quota, or a limit on the size of files, has no error code
# of its own, and the words are in the server's language.
_EXTENDING = frozenset({"mdextend", "mdzeroextend"})

_FULL = Counter("myriorama_store_disk_full", "Statements refused as PostgreSQL's disk is full")


def is_full(error: BaseException) -> bool:
    """Tell whether a statement was refused, as a whole, because the server has no room for it."""
    return isinstance(error, psycopg.Error) and (
        isinstance(error, psycopg.errors.DiskFull) or error.diag.source_function in _EXTENDING
    )


def raise_alarm(error: BaseException) -> None:
    """Log and count that there is no room. It goes on by itself once there is."""
    _FULL.inc()
    logger.error("the disk of PostgreSQL is full", error=str(error))
