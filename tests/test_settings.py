"""A setting that cannot be used is refused with its name; a worker needs no more than its own."""

import pytest

from myriorama.settings import SettingInvalid, Settings, WorkerSettings

WORKER = {
    "MYRIORAMA_KAFKA": "127.0.0.1:9092",
    "MYRIORAMA_OBJECTS": "s3://bucket/prefix",
    "MYRIORAMA_WORKER_TOKEN": "t" * 32,
}
ALL = {**WORKER, "MYRIORAMA_DATABASE_URL": "postgresql:///x", "MYRIORAMA_SECRET": "s" * 32}


def test_a_worker_is_content_without_database_and_secret() -> None:
    assert WorkerSettings.read(WORKER).objects == "s3://bucket/prefix"
    with pytest.raises(SettingInvalid, match="MYRIORAMA_DATABASE_URL, MYRIORAMA_SECRET"):
        Settings.read(WORKER)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET", "short"),
        ("WORKER_TOKEN", "short"),
        ("LEASE_S", "soon"),
        ("LEASE_S", "0"),
        ("SIGN_UP", "maybe"),
        ("RENDERER", "crayons"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=f"MYRIORAMA_{name}"):
        Settings.read({**ALL, f"MYRIORAMA_{name}": value})


def test_what_is_given_counts_and_what_is_not_has_a_default() -> None:
    settings = Settings.read({**ALL, "MYRIORAMA_LEASE_S": "7"})

    assert (settings.lease_s, settings.address) == (7, "127.0.0.1:8000")
