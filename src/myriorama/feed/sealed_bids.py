"""Sealed bids: what a bid comes to, in the URL that whoever won with it fetches to bill.

Nothing is stored of a bid that is lost; and nobody on the way can read what was bid, or change it.
"""

import os
import zlib
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as MalformedBase64
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ads.record import AdRecord, Shown
from domain.errors import Invalid
from myriorama.store.signing import Signer

TEST_LEASE = 0
"""The lease that tests of sellers name: nothing is held for them, and nothing billed."""

_NONCE_BYTES = 12
_BYTES_MAX = 8_192


class BidInvalid(Invalid):
    """The bid was not made here, or was changed since."""


class BidExpired(BidInvalid):
    """The bid was made here, and its time is over."""


class SealedBid(msgspec.Struct, frozen=True):
    """A bid. Its record tells of one ad, at the most that an event of it may cost."""

    record: AdRecord
    viewer_id: UUID
    pseudonym: int

    @property
    def shown(self) -> Shown:
        """Return what is on record of the ad."""
        return self.record.shown[0]

    @property
    def is_test(self) -> bool:
        """Whether it was asked for as a test."""
        return self.shown.lease_id == TEST_LEASE


class SealedBids:
    """Seals, and opens what was sealed by any server with the same secret."""

    def __init__(self, signer: Signer) -> None:
        self._aead = AESGCM(signer.key("openrtb bids"))

    def seal(self, bid: SealedBid) -> str:
        """Return a bid as text fit for a URL."""
        nonce = os.urandom(_NONCE_BYTES)
        content = zlib.compress(_ENCODER.encode(bid), 9)
        return urlsafe_b64encode(nonce + self._aead.encrypt(nonce, content, None)).decode()

    def open(self, text: str, *, now_ms: int) -> SealedBid:
        """Return the bid that was sealed.

        Raises:
            BidInvalid: it was not sealed here.
            BidExpired: its time is over.
        """
        try:
            packed = b64decode(text[:_BYTES_MAX], b"-_", validate=True)
            content = self._aead.decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], None)
        except (InvalidTag, MalformedBase64, ValueError) as error:
            raise BidInvalid("this bid was not made here, or was changed since") from error
        bid = _DECODER.decode(zlib.decompress(content))
        if now_ms >= bid.shown.expires_ms:
            raise BidExpired("this bid is over")
        return bid


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SealedBid)
