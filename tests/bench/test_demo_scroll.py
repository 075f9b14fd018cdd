"""The demo world is scrolled over HTTP by somebody new to it, in a small house."""

from datetime import UTC, datetime

from litestar import Litestar
from litestar.testing import TestClient

from myriorama import processes
from myriorama.bench.demo_scroll import House, fill, walk
from myriorama.settings import Settings
from myriorama.store.objects import FolderObjects
from tests.replay.rebuilds import settle, settle_views

PROMISED = 0.35
KINDS = ("author", "line", "topic")


def test_what_is_scrolled_repeats_nothing_is_varied_and_does_as_it_is_told(
    api: TestClient[Litestar], settings: Settings
) -> None:
    told = list(fill(settings.database_url, people=120, videos=600))
    house = House(
        api,
        settings.database_url,
        FolderObjects(settings.home / "objects"),
        lambda: processes.invite(settings, at=datetime.now(UTC)),
    )

    figures = walk(house, told.append, items=80).figures
    found = {name: value for name, value in figures.items() if isinstance(value, float | int)}

    assert (found["scroll_items"], found["scroll_repeats"], found["scroll_degraded"]) == (80, 0, 0)
    assert all(found[f"{kind}_entropy"] >= found[f"plain_{kind}_entropy"] for kind in KINDS)
    assert found["see_less_share_after"] < found["see_less_share_before"]
    assert found["steer_share_least"] >= PROMISED > found["steer_share_before"]
    assert found["steer_share_undone"] < PROMISED
    settle(settings)
    settle_views(settings)
    assert all(comparison.equal for comparison in processes.verify_state(settings))
