"""The queue of moderators: what waits in it, and what has left it."""

from datetime import UTC, datetime
from uuid import uuid4

from domain.generation.aggregate import Generation
from domain.generation.work import Verdict
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.appeals import Appeals
from tests.drafts import deliver, generation
from tests.folding import fold

ALICE, MODERATOR = uuid4(), uuid4()
REFUSAL = Verdict("prompt", "words", "1", "refuse", "sexual_content", "the term 'tit'", "No.")

ROWS = "SELECT generation_id, state, statement, decided_by, note FROM appeals ORDER BY statement"


def appealed(statement: str) -> Generation:
    made = generation(ALICE)
    made.screen([REFUSAL], at=datetime.now(UTC))
    made.appeal(statement, by=ALICE, at=datetime.now(UTC))
    return made


def test_an_appeal_waits_until_it_is_decided(log: Log, pool: Pool) -> None:
    at = datetime.now(UTC)
    waiting, upheld, overturned = (appealed(statement) for statement in "abc")
    upheld.decide_appeal(by=MODERATOR, overturned=False, note="No bird.", at=at)
    overturned.decide_appeal(by=MODERATOR, overturned=True, note="A bird.", at=at)
    log.save(waiting, upheld, overturned)

    fold(pool, Appeals())

    with pool.connection() as connection:
        assert connection.execute(ROWS).fetchall() == [
            (waiting.id, "open", "a", None, None),
            (upheld.id, "upheld", "b", MODERATOR, "No bird."),
            (overturned.id, "overturned", "c", MODERATOR, "A bird."),
        ]


def test_what_is_refused_again_after_it_was_let_pass_waits_again(log: Log, pool: Pool) -> None:
    at = datetime.now(UTC)
    made = appealed("It is a bird.")
    made.decide_appeal(by=MODERATOR, overturned=True, note="A bird.", at=at)
    deliver(made, verdicts=(Verdict("frames", "flashing", "1", "refuse", "photosensitivity"),))
    made.appeal("It does not flash.", by=ALICE, at=at)
    log.save(made)

    fold(pool, Appeals())

    with pool.connection() as connection:
        rows = connection.execute(ROWS).fetchall()
    assert rows == [(made.id, "open", "It does not flash.", None, None)]
