"""Landing pages: where an ad may lead to. What is no plain page on the public web is refused."""

import re
from urllib.parse import urlsplit

from domain.creative.errors import LandingPageInvalid
from domain.hosts import is_public_host

URL_LENGTH_MAX = 2048

# What RFC 3986 allows in a URL, without the backslash and the blanks that browsers mend.
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})|%(?:[01][0-9A-Fa-f]|7[Ff])")


def host_of(url: str) -> str:
    """Return the host of a landing page, once it has been looked at.

    Raises:
        LandingPageInvalid: it is not https, too long, not on a public host, names a user or an odd
            port, or has characters that mean one thing to one reader and another to the next.
    """
    if len(url) > URL_LENGTH_MAX or not _CHARACTERS.fullmatch(url) or _ESCAPES.search(url):
        raise LandingPageInvalid(
            f"A landing page has {URL_LENGTH_MAX} characters of a URL at most (RFC 3986)."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise LandingPageInvalid("The landing page is no URL.") from error
    if not url.startswith("https://") or parts.scheme != "https":
        raise LandingPageInvalid("A landing page begins with https://, whatever it is.")
    if "@" in parts.netloc:
        raise LandingPageInvalid("A landing page names no user before its host.")
    if port not in {None, 443} or parts.netloc.endswith(":"):
        raise LandingPageInvalid("A landing page is at the port of https, 443.")
    host = (parts.hostname or "").lower()
    if not is_public_host(host):
        raise LandingPageInvalid("A landing page is on a public host with a name, in ASCII.")
    return host


def is_within(host: str, website: str) -> bool:
    """Tell whether a host is the website, or below it."""
    site = website.removeprefix("www.")
    return host == site or host.endswith(f".{site}")
