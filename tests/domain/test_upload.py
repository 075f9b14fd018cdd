"""An upload: received once, settled once."""

from datetime import UTC, datetime
from typing import get_args
from uuid import UUID

import pytest

from domain.upload.aggregate import Clearance, Refusal, Upload
from domain.upload.errors import (
    REFUSALS,
    UploadNotCleared,
    UploadPurposeUnknown,
    UploadSettled,
)
from myriorama.studio.inspection import Reason

ALICE = UUID(int=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEEN = Clearance("image/jpeg", 64, 64, None, "uploads/7/image.jpg", None, None, None)
NO = Refusal("media_undecodable", "This is no picture.")


def received(purpose: str = "image") -> Upload:
    return Upload.receive(
        UUID(int=7),
        owner_id=ALICE,
        purpose=purpose,
        declared_media_type="image/jpeg",
        size_bytes=10,
        sha256="ab" * 32,
        at=NOON,
    )


def test_what_was_not_cleared_is_of_no_use() -> None:
    upload, refused, cleared = received(), received(), received()
    refused.refuse(NO, at=NOON)
    cleared.clear(SEEN, at=NOON)

    for useless in (upload, refused):
        with pytest.raises(UploadNotCleared):
            useless.require_cleared()
    assert cleared.require_cleared() == SEEN
    assert refused.refusal == NO


def test_what_is_settled_stays_settled() -> None:
    refused, cleared = received(), received()
    refused.refuse(NO, at=NOON)
    cleared.clear(SEEN, at=NOON)

    for settled in (refused, cleared):
        with pytest.raises(UploadSettled):
            settled.clear(SEEN, at=NOON)
        with pytest.raises(UploadSettled):
            settled.refuse(NO, at=NOON)
        assert len(settled.pending_events) == 2


def test_an_upload_is_for_something_that_exists() -> None:
    with pytest.raises(UploadPurposeUnknown):
        received("malware")


def test_every_reason_of_the_inspection_is_a_refusal_that_clients_can_look_up() -> None:
    assert set(REFUSALS) == {*get_args(Reason), "abandoned"}
