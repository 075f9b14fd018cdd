"""Destinations: where a webhook may lead. Where its host leads is looked at with each delivery."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from domain.ad_webhook.errors import AdWebhookURLInvalid
from domain.hosts import is_public_host

URL_LENGTH_MAX = 512

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?&=%+,;@!$'()*]+")


def require_destination(url: str, *, inside: Collection[str]) -> None:
    """Let pass an https URL on a public host; or, of the hosts (host:port) `inside`, any.

    Raises:
        AdWebhookURLInvalid: it is another one.
    """
    if len(url) > URL_LENGTH_MAX or not _CHARACTERS.fullmatch(url):
        raise AdWebhookURLInvalid(f"A webhook has {URL_LENGTH_MAX} characters of a URL at most.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AdWebhookURLInvalid("The webhook is no URL.") from error
    if parts.scheme in {"http", "https"} and parts.netloc in inside:
        return
    if parts.scheme != "https" or "@" in parts.netloc or port not in {None, 443}:
        raise AdWebhookURLInvalid("A webhook is https, at port 443, and names no user.")
    if not is_public_host(host):
        raise AdWebhookURLInvalid("A webhook is on a public host with a name, in ASCII.")
