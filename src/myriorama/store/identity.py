"""New identities and secrets: IDs sort by the time they were made (UUID version 7, RFC 9562).

Those of a command that may be sent again are the same each time, and nobody else can tell them.
"""

import hmac
import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

from myriorama.store.causation import Key, cause, present_cause

SECRET_BYTES = 32

_VERSION, _VARIANT = 7 << 76, 2 << 62
_RANDOM_A, _RANDOM_B = ((1 << 12) - 1) << 64, (1 << 62) - 1


def new_id() -> UUID:
    """Return an ID that nothing else has."""
    present = cause.get()
    if present is None or present.key is None:
        return uuid7()
    key = present.key
    drawn = int.from_bytes(_drawn(key))
    made_at_ms = int(key.claimed_at.timestamp() * 1000)
    return UUID(int=made_at_ms << 80 | _VERSION | drawn & _RANDOM_A | _VARIANT | drawn & _RANDOM_B)


def new_secret() -> bytes:
    """Return 32 bytes that nobody else knows."""
    key = present_cause().key
    return secrets.token_bytes(SECRET_BYTES) if key is None else _drawn(key)


def _drawn(key: Key) -> bytes:
    present = present_cause()
    present.drawn += 1
    return hmac.digest(key.seed, present.drawn.to_bytes(8), "sha256")
