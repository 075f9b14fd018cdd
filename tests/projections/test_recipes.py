"""The table of recipes: what each generation was asked to be made of, and what was said of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import dict_row

from domain.generation.aggregate import Generation
from domain.generation.work import Delivery, Verdict
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.generations import Generations
from projections.recipes import Recipes
from tests.domain.generations import PAINTER, VIDEO, prompt_refused
from tests.domain.test_recipe import HERON
from tests.drafts import generation
from tests.folding import fold

ALICE, BOB = uuid4(), uuid4()
ROW = "SELECT * FROM generations JOIN recipes USING (generation_id) WHERE generation_id = %s"
NUDE = Verdict("frames", "skin", "1", "refuse", "nudity", "Frame 12.", "It shows too much.")


def row(pool: Pool, generation_id: UUID) -> dict[str, Any]:
    fold(pool, Generations(), Recipes())
    with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(ROW, (generation_id,)).fetchone()
    assert found is not None
    return found


def delivered(made: Generation, delivery: Delivery) -> None:
    at = datetime.now(UTC)
    made.dispatch(at=at)
    made.claim("w1", 1, lease=timedelta(seconds=30), at=at)
    made.complete(1, delivery, at=at)


def test_a_storyboard_is_told_with_its_shots_and_with_what_rendered_it(
    log: Log, pool: Pool
) -> None:
    at = datetime.now(UTC)
    recipe = replace(HERON, remake_of=uuid4(), rerolls=1)
    made = Generation.request(uuid4(), recipe, account_id=ALICE, capabilities=PAINTER, at=at)
    digest, captions = "5e" * 32, "captions/c1.vtt"
    delivered(made, replace(VIDEO, model_digest=digest, captions_key=captions, transcript="Hi."))
    log.save(made)

    told = row(pool, made.id)

    assert told["shots"][1] == {"prompt": "it flies off", "seconds": 4, "seed": 12}
    assert (told["model"], told["rerolls"], told["remake_of"]) == (
        "painter-1",
        1,
        recipe.remake_of,
    )
    assert (told["model_digest"], told["captions_key"]) == (digest, captions)
    assert told["transcript"] == "Hi."


def test_a_refused_video_is_refused_until_that_is_overturned(log: Log, pool: Pool) -> None:
    at = datetime.now(UTC)
    made = generation(ALICE)
    delivered(made, replace(VIDEO, verdicts=(NUDE,)))
    made.appeal("It is a statue.", by=ALICE, at=at)
    log.save(made)

    refused = row(pool, made.id)
    made.decide_appeal(by=BOB, overturned=True, note="It is.", at=at)
    log.save(made)
    released = row(pool, made.id)

    assert (refused["state"], refused["reason"], refused["appeal"]) == ("refused", "nudity", "open")
    assert [verdict["check"] for verdict in refused["verdicts"]] == ["skin"]
    assert (released["state"], released["reason"]) == ("completed", None)
    assert (released["appeal"], released["appeal_note"]) == ("overturned", "It is.")
    assert released["ended_at"] is not None


def test_an_overturned_prompt_is_queued_and_one_that_stands_is_not(log: Log, pool: Pool) -> None:
    at = datetime.now(UTC)
    wrongly, rightly = prompt_refused(), prompt_refused()
    for refused, overturned in ((wrongly, True), (rightly, False)):
        refused.appeal("It is about sport.", by=refused.account_id, at=at)
        refused.decide_appeal(by=BOB, overturned=overturned, note="Seen.", at=at)
    log.save(wrongly, rightly)

    queued, stands = row(pool, wrongly.id), row(pool, rightly.id)

    assert (queued["state"], queued["ended_at"]) == ("queued", None)
    assert (stands["state"], stands["appeal"]) == ("refused", "upheld")
