"""Prefixes of networks, such as those of data centres, and whether an address lies in one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)


class NotAPrefix(ValueError):
    """A line of a list is neither a network nor an address."""


class Prefixes:
    """Networks of both versions, joined where they touch; asking takes a binary search."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Take networks such as `192.0.2.0/24` or `2001:db8::/32`, or single addresses.

        Raises:
            NotAPrefix: one is neither, or has bits beyond its prefix.
        """
        self._starts: dict[int, Sequence[int]] = {}
        self._ends: dict[int, Sequence[int]] = {}
        parsed = [_network(number, text) for number, text in enumerate(networks, 1)]
        fours = collapse_addresses(one for one in parsed if isinstance(one, IPv4Network))
        sixes = collapse_addresses(one for one in parsed if isinstance(one, IPv6Network))
        for version, joined in ((4, list(fours)), (6, list(sixes))):
            self._starts[version] = [int(one.network_address) for one in joined]
            self._ends[version] = [int(one.broadcast_address) for one in joined]

    @classmethod
    def of_lines(cls, lines: Iterable[str]) -> "Prefixes":
        """Read a list with one network a line; what follows a `#` is said to people.

        Raises:
            NotAPrefix: a line is neither a network nor an address.
        """
        return cls(_networks_of(lines))

    def __contains__(self, address: str) -> bool:
        """Say whether an address lies in a network; what is no address lies in none."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        known = _plain(parsed)
        place = bisect_right(self._starts[known.version], int(known)) - 1
        return place >= 0 and int(known) <= self._ends[known.version][place]


def _networks_of(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        text = line.partition("#")[0].strip()
        if text:
            yield text


def _network(number: int, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise NotAPrefix(f"network {number}: {error}") from error


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address of version 4 that one of version 6 may carry."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
