"""Who sells places here, in the formats of the IAB: ads.txt 1.1 and sellers.json 1.0."""

from typing import Literal

import msgspec

SELLER_ID = "1"
"""The account of the house in its own ad system: it sells nobody else's places."""


class House(msgspec.Struct, frozen=True):
    """Who runs this house: its domain, how its owner is called, and a mail address of theirs."""

    domain: str
    name: str
    contact: str


class Seller(msgspec.Struct, frozen=True):
    """An account of an ad system, as sellers.json tells of it."""

    seller_id: str
    name: str
    domain: str
    seller_type: Literal["PUBLISHER", "INTERMEDIARY", "BOTH"]


class SellersFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole sellers.json."""

    sellers: tuple[Seller, ...]
    version: str
    contact_email: str = ""


def ads_txt(house: House) -> str:
    """Return the lines of ads.txt: our own system sells our own places, directly."""
    lines = [f"# Who may sell places of {house.domain}", f"OWNERDOMAIN={house.domain}"]
    lines += [f"CONTACT={house.contact}"] if house.contact else []
    return "\n".join([*lines, f"{house.domain}, {SELLER_ID}, DIRECT", ""])


def sellers_json(house: House) -> SellersFile:
    """Return sellers.json, in which the house is the publisher."""
    seller = Seller(SELLER_ID, house.name, house.domain, "PUBLISHER")
    return SellersFile((seller,), "1.0", house.contact)
