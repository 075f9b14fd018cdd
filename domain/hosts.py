"""Public hosts: names on the web that anybody can look up, and none of a network of our own."""

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label begins with a letter: so no address in digits (127.1, 0x7f.1, 2130706433) passes.
_HOST = re.compile(rf"(?=.{{4,253}}\Z)(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])\Z")
# RFC 6761, 6762, 7686, 8375, 9476, and what private networks are called in practice.
_PRIVATE = frozenset(
    {
        *("alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan"),
        *("local", "localdomain", "localhost", "onion", "private", "test"),
    }
)
# Names that anybody may look up, and that lead to whatever address stands in them.
_LEADING_ANYWHERE = ("nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me")


def is_public_host(host: str) -> bool:
    """Tell whether a host is a name in lower-case ASCII that is not reserved for private use."""
    if not _HOST.match(host) or host.rpartition(".")[2] in _PRIVATE:
        return False
    return not any(host == each or host.endswith(f".{each}") for each in _LEADING_ANYWHERE)
