"""The reference of events is what the code says."""

from pathlib import Path

from domain.catalogue import EVENTS
from myriorama.bootstrap.logs import projections
from myriorama.replay.event_reference import markdown, schema

REFERENCE = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_reference_is_current() -> None:
    assert REFERENCE.read_text() == markdown(projections()), (
        "run: .venv/bin/myriorama topics --markdown > docs/events.md"
    )


def test_the_schema_tells_names_types_and_what_is_required() -> None:
    granted = schema(EVENTS["cameo.permission_granted"])

    assert granted["properties"]["grantee_id"] == {"type": "string", "format": "uuid"}
    assert granted["required"] == ["grantee_id", "expires_at"]
