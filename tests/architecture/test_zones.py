"""Days begin at one instant everywhere: by the zones that are pinned, not by any machine's own."""

import re
import zoneinfo
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("src", "domain", "projections", "ranking", "ads", "migrations")
SQL_OF_A_ZONE = re.compile(r"AT\s+TIME\s+ZONE\s+(?!'UTC')", re.IGNORECASE)


def test_no_statement_has_postgresql_say_when_a_day_begins_elsewhere() -> None:
    texts = (
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".sql"}
    )

    assert [path for path in texts if SQL_OF_A_ZONE.search(path.read_text())] == []


def test_zones_are_read_from_the_package_that_is_pinned() -> None:
    # Since March 2026 clocks are not set any more in British Columbia: older machines set them.
    winter = datetime(2026, 12, 1, 12, tzinfo=UTC).astimezone(
        zoneinfo.ZoneInfo("America/Vancouver")
    )

    assert zoneinfo.TZPATH == ()
    assert winter.hour == 5
