"""An upload that nobody looked at to the end leaves nothing behind, and hangs for nobody."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from domain.upload.aggregate import Clearance, Upload
from domain.upload.errors import UploadNotCleared, UploadNotFound, UploadSettled
from myriorama.application.uploads import ABANDONED_AFTER, Uploads
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.studio.asking import DecoderBroken
from myriorama.studio.inspection import inspect
from projections.uploads import Uploads as UploadsProjection
from tests.folding import fold
from tests.studio.foreign_media import photo, two_colours

ALICE, MALLORY = UUID(int=1), UUID(int=3)
NO_DECODER = partial(inspect, decoder=("/bin/false",))


class House:
    """The parts of uploads, with their folders below one."""

    def __init__(self, pool: Pool, log: Log, home: Path) -> None:
        self.pool, self.log = pool, log
        self.objects = FolderObjects(home / "objects")
        self.workspace = home / "uploads"
        self.uploads = Uploads(pool, log, self.objects, inspect=inspect, workspace=self.workspace)
        self.broken = Uploads(pool, log, self.objects, inspect=NO_DECODER, workspace=self.workspace)

    def break_off(self, photo: Path, *, at: datetime) -> UUID:
        """Receive an upload on a machine where nothing can be looked at. Returns its ID."""
        with photo.open("rb") as source, pytest.raises(DecoderBroken):
            self.broken.receive(
                source, owner_id=ALICE, purpose="image", declared_media_type="", at=at
            )
        fold(self.pool, UploadsProjection())
        with self.pool.connection() as connection:
            row = connection.execute("SELECT upload_id FROM uploads").fetchone()
        assert row is not None
        upload_id: UUID = row[0]
        return upload_id


@pytest.fixture
def house(pool: Pool, log: Log, tmp_path: Path) -> House:
    return House(pool, log, tmp_path)


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    return photo(tmp_path / "me.jpg", two_colours(64, 64))


def test_what_nobody_looked_at_to_the_end_is_refused_and_removed(house: House, sent: Path) -> None:
    now = datetime.now(UTC)
    upload_id = house.break_off(sent, at=now)
    # As if the process had died between the objects and the event.
    house.objects.put(f"uploads/{upload_id.hex}/image.jpg", b"a face", media_type="image/jpeg")

    early = house.uploads.refuse_abandoned(now + ABANDONED_AFTER)
    late = house.uploads.refuse_abandoned(now + ABANDONED_AFTER + timedelta(seconds=1))
    again = house.uploads.refuse_abandoned(now + timedelta(days=1))

    assert (early, late, again) == ([], [upload_id], [])
    refused = house.uploads.owned(upload_id, by=ALICE)
    assert refused.refusal is not None
    assert refused.refusal.code == "abandoned"
    with pytest.raises(UploadNotCleared):
        refused.require_cleared()
    assert not house.objects.exists(f"uploads/{upload_id.hex}/image.jpg")


def test_files_of_a_process_that_died_go_with_the_next_upload(house: House, sent: Path) -> None:
    now = datetime.now(UTC)
    left = house.workspace / "of-the-dead"
    left.mkdir(parents=True)
    (left / "original").write_bytes(b"a face")

    with sent.open("rb") as source:
        house.uploads.receive(
            source,
            owner_id=ALICE,
            purpose="image",
            declared_media_type="image/jpeg",
            at=now + timedelta(days=1),
        )

    assert list(house.workspace.iterdir()) == []


def test_an_upload_is_settled_once(house: House, sent: Path) -> None:
    now = datetime.now(UTC)
    upload_id = house.break_off(sent, at=now)
    late = house.log.find(Upload, upload_id)
    assert late is not None

    house.uploads.refuse_abandoned(now + timedelta(days=1))

    found = house.log.find(Upload, upload_id)
    assert found is not None
    with pytest.raises(UploadSettled):
        found.clear(
            Clearance("image/jpeg", 64, 64, None, "uploads/1/image.jpg", None, None, None), at=now
        )


def test_an_upload_is_its_owners(house: House, sent: Path) -> None:
    upload_id = house.break_off(sent, at=datetime.now(UTC))

    with pytest.raises(UploadNotFound):
        house.uploads.owned(upload_id, by=MALLORY)
