"""New identities: they sort by the time they were made (UUID version 7, RFC 9562)."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return an ID that nothing else has."""
    return uuid7()
