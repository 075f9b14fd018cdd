"""Addresses: which are on the public internet, and lead into no network of anybody's own."""

from ipaddress import IPv4Address, ip_address, ip_network

_UNICAST = ip_network("2000::/3")


def is_public(address: str) -> bool:
    """Tell whether an address is on the public internet, and reaches nothing else through it."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return parsed.is_global and not parsed.is_multicast
    # Global unicast is here alone; some of it stands for addresses of the older kind.
    embedded = (parsed.sixtofour, *(parsed.teredo or ()))
    within = parsed in _UNICAST and parsed.is_global
    return within and all(each.is_global for each in embedded if each is not None)
