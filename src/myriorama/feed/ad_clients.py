"""What an app tells of itself with a request: the language and the platform, and the country.

Nothing is guessed. The country is what a proxy of the house's own says in the header that the
settings name; without one it is not known.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_LANGUAGE = re.compile(r"\s*([a-z]{2,3})(?=[-_;,\s]|$)", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{2}")
_PLATFORMS = (
    (re.compile(r"android", re.IGNORECASE), "android"),
    (re.compile(r"iphone|ipad|\bios\b|darwin", re.IGNORECASE), "ios"),
    (re.compile(r"mozilla", re.IGNORECASE), "web"),
)
_HEADER_LENGTH_MAX = 512


class Client(NamedTuple):
    """Who asks, as far as they say; "" is not known."""

    country: str = ""
    language: str = ""
    platform: str = ""


Headers = Iterable[tuple[bytes, bytes]]


class Clients:
    """Reads the headers of requests."""

    def __init__(self, *, country_header: str = "") -> None:
        """Take the name of the header that a proxy of ours sets; "": there is none."""
        self._country = country_header.lower().encode()

    def of(self, headers: Headers) -> Client:
        """Return who sent these headers."""
        country = language = agent = b""
        for name, value in headers:
            if name == b"accept-language":
                language = value
            elif name == b"user-agent":
                agent = value
            elif name == self._country:
                country = value
        return _client(
            country[:_HEADER_LENGTH_MAX], language[:_HEADER_LENGTH_MAX], agent[:_HEADER_LENGTH_MAX]
        )


@lru_cache(maxsize=4096)
def _client(country: bytes, language: bytes, agent: bytes) -> Client:
    said = country.decode("latin-1").strip().upper()
    first = _LANGUAGE.match(language.decode("latin-1"))
    named = agent.decode("latin-1")
    platform = next((platform for found, platform in _PLATFORMS if found.search(named)), "")
    return Client(
        said if _COUNTRY.fullmatch(said) else "", first[1].lower() if first else "", platform
    )
