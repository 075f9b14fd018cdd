"""Signing: what the server hands out and believes when it comes back: URLs, cursors, tokens.

Each purpose has a key of its own, so that nothing signed for one is ever believed for another.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as MalformedBase64
from functools import lru_cache
from urllib.parse import quote

from domain.errors import Invalid

SECRET_BYTES_MIN = 16
MEDIA_LIFETIME_S = 3600


class SignatureInvalid(Invalid):
    """This was not signed here, or not for this purpose, or it was changed since."""


class SignatureExpired(Invalid):
    """This was signed here, and its time is over."""


class Signer:
    """Signs for any purpose with keys derived from one secret; may be used by many threads.

    Every process that is given the same secret believes what the others have signed.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"a secret of {len(secret)} bytes is guessed: take {SECRET_BYTES_MIN}")
        self._root = hmac.digest(b"myriorama/signing", secret, "sha256")
        self._key = lru_cache(maxsize=256)(self._derived_key)
        self._begun = lru_cache(maxsize=256)(self._begun_mac)
        self._media_url = lru_cache(maxsize=100_000)(self._signed_media_url)

    def sign(self, purpose: str, payload: bytes, *, about: bytes = b"") -> str:
        """Sign a payload, which stays readable: the token is URL-safe base64 of both.

        What it is `about` is signed and not carried: whoever verifies the token says it again.
        """
        return self._sealed("forever", purpose, payload, about)

    def verify(self, purpose: str, token: str, *, about: bytes = b"") -> bytes:
        """Return the payload of a token.

        Raises:
            SignatureInvalid: it was not signed here for this purpose, or is about something else.
        """
        return self._opened("forever", purpose, token, about)

    def sign_until(self, purpose: str, payload: bytes, expires_at: int) -> str:
        """Sign a payload that is believed up to a moment, in seconds since 1970."""
        return self._sealed("until", purpose, expires_at.to_bytes(_MOMENT_BYTES, "big") + payload)

    def verify_until(self, purpose: str, token: str, now: int) -> bytes:
        """Return the payload of a token that expires.

        Raises:
            SignatureInvalid: it was not signed here for this purpose with an expiry.
            SignatureExpired: its moment has come.
        """
        content = self._opened("until", purpose, token)
        if now >= int.from_bytes(content[:_MOMENT_BYTES], "big"):
            raise SignatureExpired(f"this {purpose} has expired")
        return content[_MOMENT_BYTES:]

    def key(self, purpose: str) -> bytes:
        """Return a key of 32 bytes of this purpose's own, for who signs in a form of theirs."""
        return self._key("key", purpose)

    def media_url(self, key: str, *, now: int, lifetime_s: int = MEDIA_LIFETIME_S) -> str:
        """Sign the path under which an object may be fetched for `lifetime_s` or somewhat longer.

        The expiry is rounded up to a multiple of half of the lifetime: for that long, every caller
        is given the same URL, which caches may therefore keep; it lives 1.5 lifetimes at most.
        """
        step = (lifetime_s + 1) // 2
        return self._media_url(key, -(-(now + lifetime_s) // step) * step)

    def verify_media(self, key: str, expires: int, signature: str, now: int) -> None:
        """Believe the parts of a media URL, or say why not.

        Raises:
            SignatureInvalid: this key with this expiry was not signed here.
            SignatureExpired: its moment has come.
        """
        if not hmac.compare_digest(self._media_mac(key, expires).encode(), signature.encode()):
            raise SignatureInvalid("this URL was not signed here, or was changed since")
        if now >= expires:
            raise SignatureExpired("this URL has expired: fetch what it was part of again")

    def _signed_media_url(self, key: str, expires: int) -> str:
        return f"/media/{quote(key)}?expires={expires}&signature={self._media_mac(key, expires)}"

    def _media_mac(self, key: str, expires: int) -> str:
        return _text(self._mac("media", "url", f"{expires}\n{key}".encode()))

    def _sealed(self, kind: str, purpose: str, payload: bytes, about: bytes = b"") -> str:
        return _text(self._mac(kind, purpose, _joined(about, payload)) + payload)

    def _opened(self, kind: str, purpose: str, token: str, about: bytes = b"") -> bytes:
        try:
            content = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (MalformedBase64, ValueError) as error:
            raise SignatureInvalid(f"this {purpose} is malformed") from error
        mac, payload = content[:_MAC_BYTES], content[_MAC_BYTES:]
        # The decoder skips what is no base64; a token has one spelling, and any other is refused.
        expected = self._mac(kind, purpose, _joined(about, payload))
        if not hmac.compare_digest(mac, expected) or _text(content) != token:
            raise SignatureInvalid(f"this {purpose} was not signed here, or was changed since")
        return payload

    def _mac(self, kind: str, purpose: str, payload: bytes) -> bytes:
        mac = self._begun(kind, purpose).copy()
        mac.update(payload)
        return mac.digest()[:_MAC_BYTES]

    def _begun_mac(self, kind: str, purpose: str) -> hmac.HMAC:
        """Return a MAC to go on from: to look the algorithm up each time takes longest of all."""
        return hmac.new(self._key(kind, purpose), digestmod="sha256")

    def _derived_key(self, kind: str, purpose: str) -> bytes:
        return hmac.digest(self._root, f"{kind}\n{purpose}".encode(), "sha256")


_MAC_BYTES = 16
_MOMENT_BYTES = 8


def _joined(about: bytes, payload: bytes) -> bytes:
    """Join the two so that no other pair gives the same bytes."""
    return len(about).to_bytes(4, "big") + about + payload


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
