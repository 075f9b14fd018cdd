"""View tokens: the proof that one viewer was shown one video on one page of the feed.

A report of views is believed for what it shows a token of, so nobody counts what was not served.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from domain.errors import Invalid
from myriorama.store.signing import Signer

VIEW_TOKEN_S = 86_400
_EXPIRY_BYTES = 8
_BLOCK_BYTES, _MAC_BYTES = 16, 14
# 24 bytes of the page (decision, expiry), then 30 of the video and its MAC: no padding.
_TOKEN = re.compile("[A-Za-z0-9_-]{72}")


class ViewTokenInvalid(Invalid):
    """The token was not given to this viewer, or was changed since."""


class ViewTokenExpired(Invalid):
    """The token was given to this viewer more than a day ago."""


class Shown(NamedTuple):
    """What a token proves: the video was on the page that this decision made."""

    video_id: UUID
    decision_id: UUID


class _Cut(NamedTuple):
    """How the MACs and the tails of so many tokens lie one behind the other."""

    macs: Struct
    tails: Struct


@lru_cache
def _cut(count: int) -> _Cut:
    return _Cut(Struct("14s2x" * count), Struct("40s" * count))


class ViewTokens:
    """Signs a page with one MAC, and each of its videos, together with that, with one more.

    The MAC of a video is AES of its ID and the page's MAC, one block laid over the other: who does
    not know the page's can tell of no two blocks that they are the same, and one call makes those
    of all videos. Used by one thread at a time.
    """

    def __init__(self, signer: Signer) -> None:
        # What is keyed once is copied for each page.
        self._pages = blake2b(key=signer.key("view tokens, pages"), digest_size=_BLOCK_BYTES)
        key = signer.key("view tokens, videos")
        self._blocks = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 - it hides no text

    def of_page(
        self, viewer_id: bytes, decision_id: bytes, video_ids: Sequence[bytes], *, now: int
    ) -> list[bytes]:
        """Return the token of each video of a page. IDs are the 16 bytes of the UUID."""
        page = decision_id + (now + VIEW_TOKEN_S).to_bytes(_EXPIRY_BYTES, "big")
        cut = _cut(len(video_ids))
        macs = cut.macs.unpack(self._macs(viewer_id, page, b"".join(video_ids)))
        proofs = b"".join(chain.from_iterable(zip(video_ids, macs, strict=True)))
        head = urlsafe_b64encode(page)
        return [head + tail for tail in cut.tails.unpack(urlsafe_b64encode(proofs))]

    def read(self, token: str, viewer_id: UUID, *, now: int) -> Shown:
        """Return what a token proves of a viewer.

        Raises:
            ViewTokenInvalid: it was not signed here for this viewer.
            ViewTokenExpired: its day is over.
        """
        if not _TOKEN.fullmatch(token):
            raise ViewTokenInvalid("this is no view token")
        content = urlsafe_b64decode(token)
        page, video_id, mac = content[:24], content[24:40], content[40:]
        expected = self._macs(viewer_id.bytes, page, video_id)[:_MAC_BYTES]
        if not hmac.compare_digest(expected, mac):
            raise ViewTokenInvalid("this view token was not given to you, or was changed since")
        if now >= int.from_bytes(page[16:], "big"):
            raise ViewTokenExpired("this view token has expired")
        return Shown(UUID(bytes=video_id), UUID(bytes=page[:16]))

    def _macs(self, viewer_id: bytes, page: bytes, video_ids: bytes) -> bytes:
        """Return a block for each ID."""
        whole = self._pages.copy()
        whole.update(viewer_id + page)
        mac = whole.digest()
        over = int.from_bytes(mac * (len(video_ids) // _BLOCK_BYTES)) ^ int.from_bytes(video_ids)
        return self._blocks.update(over.to_bytes(len(video_ids)))
