"""ads.txt and sellers.json, as who buys places reads them."""

import json

import msgspec

from ads.sellers import House, ads_txt, sellers_json

HOUSE = House("clips.example.com", "Clips Ltd", "ads@clips.example.com")


def _records(text: str) -> tuple[dict[str, str], list[list[str]]]:
    """Read the variables and the records of an ads.txt, by the IAB's grammar."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    records = [[field.strip() for field in line.split(",")] for line in lines if "," in line]
    return variables, records


def test_the_house_alone_sells_its_places_directly() -> None:
    variables, records = _records(ads_txt(HOUSE))

    assert variables == {"OWNERDOMAIN": "clips.example.com", "CONTACT": "ads@clips.example.com"}
    assert records == [["clips.example.com", "1", "DIRECT"]]


def test_the_seller_is_the_publisher_under_the_same_account() -> None:
    told = json.loads(msgspec.json.encode(sellers_json(HOUSE)))

    _, records = _records(ads_txt(HOUSE))
    (seller,) = told["sellers"]
    assert [seller["domain"], seller["seller_id"], "DIRECT"] in records
    assert seller["seller_type"] == "PUBLISHER"
    assert (told["version"], told["contact_email"]) == ("1.0", "ads@clips.example.com")


def test_without_a_contact_none_is_told() -> None:
    house = House("clips.example.com", "Clips Ltd", "")

    assert "CONTACT" not in ads_txt(house)
    assert "contact_email" not in json.loads(msgspec.json.encode(sellers_json(house)))
