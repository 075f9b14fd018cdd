"""Ad tokens: the proof that one ad was placed before one viewer, at a price that is held for it.

What an app reports is believed for what it shows a token of, once for each kind of report. A token
charges the day of its decision, out of the lease that it names, and never more than its price.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from ads.lines import KINDS, Kind
from domain.errors import Invalid

TOKEN_BYTES = 128
_MAC_BYTES = 16
_BODY_BYTES = TOKEN_BYTES - _MAC_BYTES
_TEXT = re.compile("[A-Za-z0-9_-]{171}")
_PADDING = "="

_BODY = Struct("!B16s16s16s16sqBqQBBqqI")

# The last number is the day, until the year 2871, and above it how long the ad plays: tokens that
# were signed before it was told have nothing there. What is left over of a step is not told.
_DAY_BITS = 20
_DAY_MASK = 2**_DAY_BITS - 1
_STEP_MS = 16
_DURATION_MS_MAX = (2 ** (32 - _DAY_BITS) - 1) * _STEP_MS

COLUMNS = np.dtype(
    [
        ("key_id", "u1"),
        ("decision_id", "V16"),
        ("line_id", "V16"),
        ("creative_id", "V16"),
        ("advertiser_id", "V16"),
        ("lease_id", ">i8"),
        ("kind", "u1"),
        ("price_micros", ">i8"),
        ("viewer", ">u8"),
        ("position", "u1"),
        ("surface", "u1"),
        ("decided_ms", ">i8"),
        ("expires_ms", ">i8"),
        ("length_and_day", ">u4"),
        ("mac", "V16"),
    ]
)
"""The fields of a token as they lie in its bytes: `kind` is a place in `KINDS`."""


class AdTokenInvalid(Invalid):
    """The token was not signed here, or was changed since."""


class AdTokenExpired(AdTokenInvalid):
    """The token was signed here, and its time is over."""


class AdTokenOfAnother(AdTokenInvalid):
    """The token was given to another viewer."""


class AdToken(msgspec.Struct, frozen=True):
    """What a token proves.

    `price_micros` is of the event that the line's kind bills; `day` is the ordinal of the
    advertiser's date; `viewer` is a pseudonym. The ad plays for at least `duration_ms`: a token
    tells it in steps, and 0 if it was not known.
    """

    decision_id: UUID
    line_id: UUID
    creative_id: UUID
    advertiser_id: UUID
    lease_id: int
    kind: Kind
    price_micros: int
    viewer: int
    position: int
    surface: int
    decided_ms: int
    expires_ms: int
    day: int
    key_id: int = 0
    duration_ms: int = 0


class Tokens:
    """Signs and verifies with keys that have numbers, so that one can follow another."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Take the keys by their numbers (0 to 255); the highest signs."""
        self._keys = dict(keys)
        self._current = max(keys)

    def sign(self, token: AdToken) -> str:
        """Return the token as 171 characters fit for a URL; the present key signs it."""
        body = _BODY.pack(
            self._current,
            token.decision_id.bytes,
            token.line_id.bytes,
            token.creative_id.bytes,
            token.advertiser_id.bytes,
            token.lease_id,
            KINDS.index(token.kind),
            token.price_micros,
            token.viewer,
            token.position,
            token.surface,
            token.decided_ms,
            token.expires_ms,
            min(token.duration_ms, _DURATION_MS_MAX) // _STEP_MS << _DAY_BITS | token.day,
        )
        mac = hmac.digest(self._keys[self._current], body, "sha256")[:_MAC_BYTES]
        return urlsafe_b64encode(body + mac).rstrip(b"=").decode()

    def verify(self, text: str, *, now_ms: int) -> AdToken:
        """Return what a token proves at `now_ms`.

        Raises:
            AdTokenInvalid: it was not signed here.
            AdTokenExpired: its time is over.
        """
        packed = unpacked(text)
        if not self.is_genuine(packed):
            raise AdTokenInvalid("this ad token was not signed here, or was changed since")
        key_id, decision, line, creative, advertiser, *numbers = _BODY.unpack_from(packed)
        lease_id, kind, price, viewer, place, surface, decided, expires, day = map(int, numbers)
        if now_ms >= expires:
            raise AdTokenExpired("this ad token has expired")
        return AdToken(
            decision_id=UUID(bytes=decision),
            line_id=UUID(bytes=line),
            creative_id=UUID(bytes=creative),
            advertiser_id=UUID(bytes=advertiser),
            lease_id=lease_id,
            kind=KINDS[kind],
            price_micros=price,
            viewer=viewer,
            position=place,
            surface=surface,
            decided_ms=decided,
            expires_ms=expires,
            day=day & _DAY_MASK,
            key_id=key_id,
            duration_ms=(day >> _DAY_BITS) * _STEP_MS,
        )

    def is_genuine(self, packed: bytes) -> bool:
        """Whether the bytes of a token were signed here; when they expire is not looked at."""
        if len(packed) != TOKEN_BYTES:
            return False
        key = self._keys.get(packed[0])
        if key is None:
            return False
        mac = hmac.digest(key, packed[:_BODY_BYTES], "sha256")
        return hmac.compare_digest(mac[:_MAC_BYTES], packed[_BODY_BYTES:])


def unpacked(text: str) -> bytes:
    """Return the bytes of a token, which may be forged.

    Raises:
        AdTokenInvalid: this is the text of no token. A token has one spelling alone.
    """
    if not _TEXT.fullmatch(text):
        raise AdTokenInvalid("this is no ad token")
    packed = urlsafe_b64decode(text + _PADDING)
    if urlsafe_b64encode(packed).rstrip(b"=").decode() != text:
        raise AdTokenInvalid("this is no ad token")
    return packed


def columns(packed: Sequence[bytes]) -> NDArray[Any]:
    """Return the fields of genuine tokens, a row each, of `COLUMNS`."""
    return np.frombuffer(b"".join(packed), COLUMNS)


def days(rows: NDArray[Any]) -> NDArray[Any]:
    """Return the days of tokens that were read by columns."""
    numbers: NDArray[Any] = rows["length_and_day"] & _DAY_MASK
    return numbers
