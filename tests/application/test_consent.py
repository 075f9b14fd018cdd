"""What a decision rests on is what it is recorded on, and lists say the same as the rule."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from random import Random
from uuid import UUID

import pytest

from domain.account.aggregate import Account
from domain.cameo.aggregate import AUDIENCES, Cameo
from domain.cameo.errors import CameoNotFound, CastingForbidden
from domain.following.aggregate import Following
from domain.upload.aggregate import Upload
from myriorama.api.cameos import USABLE
from myriorama.application.consent import Consent
from myriorama.store.identity import new_id
from myriorama.store.log import Log, LostRace
from myriorama.store.postgres import Pool, open_pool
from projections.accounts import Accounts
from projections.cameo_permissions import CameoPermissions
from projections.cameos import Cameos
from projections.relations import Relations
from tests.folding import fold

ALICE, BOB, MALLORY = UUID(int=1), UUID(int=2), UUID(int=3)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def elsewhere(database_url: str) -> Iterator[Log]:
    """The same log, over connections of another process."""
    with open_pool(database_url) as pool:
        yield Log(pool)


def recorded(owner_id: UUID, audience: str) -> Cameo:
    return Cameo.record(
        new_id(),
        owner_id=owner_id,
        name="A cameo",
        audience=audience,
        face_upload_id=UUID(int=7),
        voice_upload_id=None,
        face_key="uploads/7/face.png",
        voice_key=None,
        voice_pitch_hz=None,
        at=NOON,
    )


def relate(log: Log, account_id: UUID, change: Callable[[Following], None]) -> None:
    following = log.find(Following, Following.identify(account_id))
    following = following or Following.start(account_id, at=NOON)
    change(following)
    log.save(following)


def alter(log: Log, cameo_id: UUID, change: Callable[[Cameo], None]) -> None:
    cameo = log.find(Cameo, cameo_id)
    assert cameo is not None
    change(cameo)
    log.save(cameo)


def casting() -> Upload:
    """Something new that is to be recorded on the strength of a consent."""
    return Upload.receive(
        new_id(),
        owner_id=BOB,
        purpose="image",
        declared_media_type="",
        size_bytes=1,
        sha256="",
        at=NOON,
    )


CHANGES: list[Callable[[Log, UUID], None]] = [
    lambda log, cameo_id: alter(log, cameo_id, lambda c: c.revoke(by=ALICE, at=NOON)),
    lambda log, cameo_id: alter(
        log, cameo_id, lambda c: c.deny_permission(BOB, expires_at=None, by=ALICE, at=NOON)
    ),
    lambda log, cameo_id: alter(
        log, cameo_id, lambda c: c.change_audience("only_me", by=ALICE, at=NOON)
    ),
    lambda log, _: relate(log, ALICE, lambda f: f.unfollow(BOB, at=NOON)),
    lambda log, _: relate(log, ALICE, lambda f: f.block(BOB, at=NOON)),
    lambda log, _: relate(log, BOB, lambda f: f.unfollow(ALICE, at=NOON)),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_recorded_on_a_consent_that_has_changed_since(
    log: Log, elsewhere: Log, change: Callable[[Log, UUID], None]
) -> None:
    cameo = recorded(ALICE, "mutuals")
    log.save(cameo)
    relate(log, ALICE, lambda f: f.follow(BOB, at=NOON))
    relate(log, BOB, lambda f: f.follow(ALICE, at=NOON))
    read = Consent(log).require([cameo.id], by=BOB, at=NOON)
    begun = casting()

    change(elsewhere, cameo.id)

    with pytest.raises(LostRace):
        log.save(begun, expect=read)
    assert log.find(Upload, begun.id) is None
    with pytest.raises(CastingForbidden):
        Consent(log).require([cameo.id], by=BOB, at=NOON)


def test_a_first_block_counts_as_a_change_too(log: Log, elsewhere: Log) -> None:
    cameo = recorded(ALICE, "everyone")
    log.save(cameo)
    read = Consent(log).require([cameo.id], by=BOB, at=NOON)
    assert read == {cameo.id: 1, Following.identify(ALICE): 0, Following.identify(BOB): 0}

    relate(elsewhere, ALICE, lambda f: f.block(BOB, at=NOON))

    with pytest.raises(LostRace):
        log.save(casting(), expect=read)


def test_what_others_do_meanwhile_does_not_matter(log: Log, elsewhere: Log) -> None:
    cameo = recorded(ALICE, "everyone")
    log.save(cameo)
    read = Consent(log).require([cameo.id], by=BOB, at=NOON)
    begun = casting()

    elsewhere.save(recorded(ALICE, "only_me"))
    relate(elsewhere, MALLORY, lambda f: f.block(ALICE, at=NOON))

    log.save(begun, expect=read)
    assert log.find(Upload, begun.id) is not None


def test_every_subject_must_consent(log: Log) -> None:
    open_to_all, hidden = recorded(ALICE, "everyone"), recorded(MALLORY, "only_me")
    log.save(open_to_all, hidden)

    with pytest.raises(CastingForbidden) as refused:
        Consent(log).require([open_to_all.id, hidden.id], by=BOB, at=NOON)

    assert (refused.value.cameo_id, refused.value.rule) == (hidden.id, "only_me")
    assert str(hidden.id) in str(refused.value)
    with pytest.raises(CameoNotFound):
        Consent(log).require([open_to_all.id, UUID(int=404)], by=BOB, at=NOON)


def test_a_cameo_without_others_rests_on_itself(log: Log) -> None:
    cameo = recorded(ALICE, "only_me")
    log.save(cameo)

    assert Consent(log).require([cameo.id, cameo.id], by=ALICE, at=NOON) == {cameo.id: 1}
    assert Consent(log).require([], by=ALICE, at=NOON) == {}


def test_the_list_of_usable_cameos_says_what_the_rule_says(log: Log, pool: Pool) -> None:
    random = Random(20261122)  # noqa: S311 - a small world, the same at every run
    worlds = [_world(log, random) for _ in range(12)]
    fold(pool, Accounts(), CameoPermissions(), Cameos(), Relations())
    consent = Consent(log)
    allowed = 0

    for people, cameo_ids in worlds:
        for account_id, at in product(people, (NOON, LATER)):
            decisions = consent.decide(cameo_ids, by=account_id, at=at)
            expected = {d.cameo_id for d in decisions if d.verdict == "allow"}

            assert expected == _usable(pool, account_id, at) & set(cameo_ids)
            allowed += len(expected)

    assert allowed > 50


def _world(log: Log, random: Random) -> tuple[list[UUID], list[UUID]]:
    """Make a few people who relate to one another, and their cameos, at random."""
    people = [_person(log) for _ in range(3)]
    cameos = [recorded(random.choice(people), random.choice(sorted(AUDIENCES))) for _ in range(6)]
    log.save(*cameos)
    for one, other in product(people, people):
        if one == other:
            continue
        if random.random() < 0.7:
            relate(log, one, partial(Following.follow, other_id=other, at=NOON))
        if random.random() < 0.15:
            relate(log, one, partial(Following.block, other_id=other, at=NOON))
    for cameo, person in product(cameos, people):
        ends = random.choice([None, NOON + timedelta(minutes=30)])
        if random.random() < 0.5 and person != cameo.owner_id:
            say = random.choice([cameo.grant_permission, cameo.deny_permission])
            say(person, expires_at=ends, by=cameo.owner_id, at=NOON)
            if random.random() < 0.2:
                cameo.clear_permission(person, by=cameo.owner_id, at=NOON)
    if random.random() < 0.4:
        cameos[0].revoke(by=cameos[0].owner_id, at=NOON)
    log.save(*cameos)
    return people, [cameo.id for cameo in cameos]


def _person(log: Log) -> UUID:
    account_id = new_id()
    log.save(
        Account.open(
            account_id,
            handle=f"p{account_id.hex[-12:]}",
            display_name="A person",
            email="a@example.org",
            password_hash="",
            age_band="18+",
            scopes=("viewer",),
            invitation_id=None,
            invited_by=None,
            at=NOON,
        )
    )
    return account_id


def _usable(pool: Pool, account_id: UUID, at: datetime) -> set[UUID]:
    after_all = UUID(int=2**128 - 1)
    params = {"account_id": account_id, "at": at, "before": after_all, "limit": 1000}
    with pool.connection() as connection:
        return {row[0] for row in connection.execute(USABLE, params)}
