"""The operator's list of data centres: reports from there are marked; a bad list is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from ads.beacons import Beacon
from ads.invalid_traffic import Arrival, InvalidTraffic
from myriorama.bootstrap.settlement import data_centres
from myriorama.settings import SettingInvalid, Settings


def arrival(address: str) -> Arrival:
    return Arrival(
        beacon=Beacon.VIEWABLE,
        decided_ms=0,
        received_ms=60_000,
        agent="Myriorama/1",
        address=address,
    )


def test_what_is_reported_from_a_listed_network_is_marked(
    settings: Settings, tmp_path: Path
) -> None:
    listed = tmp_path / "networks"
    listed.write_text("# a cloud\n192.0.2.0/24\n2001:db8::/32  # another\n")

    rules = InvalidTraffic(data_centres(replace(settings, data_centres=str(listed))), ("Myrio",))

    marks = [rules.mark(arrival(address)) for address in ("192.0.2.9", "198.51.100.1")]
    assert [mark and mark.rule for mark in marks] == ["data_centre", None]


def test_without_a_list_no_network_is_known(settings: Settings) -> None:
    assert "192.0.2.9" not in data_centres(settings)


@pytest.mark.parametrize("content", ["192.0.2.0/33", "a cloud", b"\xff"])
def test_a_list_that_is_none_is_refused_at_the_start(
    settings: Settings, tmp_path: Path, content: str | bytes
) -> None:
    listed = tmp_path / "networks"
    listed.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(SettingInvalid, match="MYRIORAMA_DATA_CENTRES"):
        data_centres(replace(settings, data_centres=str(listed)))


def test_a_list_that_is_not_there_is_refused_at_the_start(settings: Settings) -> None:
    with pytest.raises(SettingInvalid, match="MYRIORAMA_DATA_CENTRES"):
        data_centres(replace(settings, data_centres="/nowhere/networks"))
