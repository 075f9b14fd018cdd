"""View tokens: the proof that one viewer was shown one video on one page of the feed.

A report of views is believed for what it shows a token of, so nobody counts what was not served.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from domain.errors import Invalid
from myriorama.store.signing import Signer

VIEW_TOKEN_S = 86_400
_EXPIRY_BYTES = 8
_KEY_BYTES, _BLOCK_BYTES, _MAC_BYTES = 32, 16, 14
# 24 bytes of the page (decision, expiry), then 30 of the video and its MAC: no padding.
_TOKEN = re.compile("[A-Za-z0-9_-]{72}")
_TAIL = 40


class ViewTokenInvalid(Invalid):
    """The token was not given to this viewer, or was changed since."""


class ViewTokenExpired(Invalid):
    """The token was given to this viewer more than a day ago."""


class Shown(NamedTuple):
    """What a token proves: the video was on the page that this decision made."""

    video_id: UUID
    decision_id: UUID


class ViewTokens:
    """Signs a page with one MAC, which is the key of one short MAC for each of its videos.

    That of a video is its ID encrypted: an ID is one block of AES, which under a key that nobody
    knows is a MAC of one block, and one call makes those of a whole page.
    """

    def __init__(self, signer: Signer) -> None:
        self._root = signer.key("view tokens by AES")

    def of_page(
        self, viewer_id: bytes, decision_id: bytes, video_ids: Sequence[bytes], *, now: int
    ) -> list[bytes]:
        """Return the token of each video of a page. IDs are the 16 bytes of the UUID."""
        page = decision_id + (now + VIEW_TOKEN_S).to_bytes(_EXPIRY_BYTES, "big")
        macs = _macs(self._page_key(viewer_id, page), b"".join(video_ids))
        places = range(0, len(macs), _BLOCK_BYTES)
        proofs = b"".join(
            [i + macs[n : n + _MAC_BYTES] for i, n in zip(video_ids, places, strict=True)]
        )
        head, tails = urlsafe_b64encode(page), urlsafe_b64encode(proofs)
        return [head + tails[n : n + _TAIL] for n in range(0, len(tails), _TAIL)]

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
        expected = _macs(self._page_key(viewer_id.bytes, page), video_id)[:_MAC_BYTES]
        if not hmac.compare_digest(expected, mac):
            raise ViewTokenInvalid("this view token was not given to you, or was changed since")
        if now >= int.from_bytes(page[16:], "big"):
            raise ViewTokenExpired("this view token has expired")
        return Shown(UUID(bytes=video_id), UUID(bytes=page[:16]))

    def _page_key(self, viewer_id: bytes, page: bytes) -> bytes:
        return blake2b(viewer_id + page, key=self._root, digest_size=_KEY_BYTES).digest()


def _macs(key: bytes, video_ids: bytes) -> bytes:
    """Return a block for each ID. Each stands by itself: the same ID has the same MAC on a page."""
    return Cipher(AES(key), ECB()).encryptor().update(video_ids)  # noqa: S305 - no text to hide
