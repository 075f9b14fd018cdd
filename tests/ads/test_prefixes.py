"""Lists of networks, and the addresses that lie in them."""

import pytest

from ads.prefixes import NotAPrefix, Prefixes

LIST = """
# documentation
192.0.2.0/25   # first half
192.0.2.128/25
198.51.100.7
2001:db8::/32
""".splitlines()


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("192.0.2.0", True),
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("192.0.1.255", False),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("::ffff:192.0.2.9", True),
        ("::1", False),
        ("no address", False),
        ("", False),
    ],
)
def test_an_address_is_found_in_its_network_alone(address: str, *, listed: bool) -> None:
    assert (address in Prefixes.of_lines(LIST)) is listed


@pytest.mark.parametrize("line", ["192.0.2.1/24", "300.0.0.0/8", "data centre"])
def test_a_line_that_is_no_network_is_named(line: str) -> None:
    with pytest.raises(NotAPrefix, match="network 2"):
        Prefixes.of_lines(["192.0.2.0/24", line])


def test_no_address_lies_in_an_empty_list() -> None:
    assert "192.0.2.1" not in Prefixes([])
