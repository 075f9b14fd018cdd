"""Video documents: what search reads is what the captions and prompts say now."""

from datetime import UTC, datetime
from uuid import UUID

from domain.video.aggregate import Video
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.video_documents import VideoDocuments, literal
from ranking.embedding import PromptVectors
from tests.folding import fold
from tests.publishing import publish

ALICE = UUID(int=1)
VECTORS = PromptVectors.load()
FOUND = "SELECT video_id FROM video_documents WHERE words @@ plainto_tsquery('english', %s)"
NEAREST = "SELECT video_id FROM video_documents ORDER BY vector <=> %s::vector"


def documents() -> VideoDocuments:
    return VideoDocuments(lambda: VECTORS.embed)


def rewrite(video: Video, caption: str) -> None:
    video.edit(caption=caption, visibility="public", remixable=True, by=ALICE, at=datetime.now(UTC))


def test_a_video_is_found_by_its_caption_and_its_prompt(pool: Pool, log: Log) -> None:
    fox = publish(log, ALICE, "Morning jumps #fox")

    fold(pool, documents())

    with pool.connection() as connection:
        for words in ("jumping", "fox", "brook", "mornings"):
            assert connection.execute(FOUND, (words,)).fetchall() == [(fox.id,)]
        assert connection.execute(FOUND, ("sushi",)).fetchall() == []


def test_what_is_written_anew_is_read_anew_and_what_is_deleted_is_gone(
    pool: Pool, log: Log
) -> None:
    fox, owl = publish(log, ALICE, "a violin concerto"), publish(log, ALICE, "an owl")
    rewrite(fox, "a football match")
    owl.delete(by=ALICE, as_moderator=False, at=datetime.now(UTC))
    log.save(fox, owl)

    fold(pool, documents())

    with pool.connection() as connection:
        assert connection.execute(FOUND, ("football",)).fetchall() == [(fox.id,)]
        assert connection.execute(FOUND, ("violin",)).fetchall() == []
        assert connection.execute(FOUND, ("owl",)).fetchall() == []
        assert connection.execute(FOUND, ("brook",)).fetchall() == [(fox.id,)]


def test_the_nearest_vector_is_what_is_about_the_same(pool: Pool, log: Log) -> None:
    goal = publish(log, ALICE, "a football team celebrates the winning goal in the stadium")
    sushi = publish(log, ALICE, "a chef slices salmon and rolls rice for dinner")
    fold(pool, documents())

    with pool.connection() as connection:
        for wish, nearest in (("soccer match", goal), ("japanese food", sushi)):
            vector = literal(VECTORS.embed([wish])[0])
            found = connection.execute(NEAREST, (vector,)).fetchall()
            assert found[0] == (nearest.id,)


def test_what_says_nothing_understood_has_no_vector(pool: Pool, log: Log) -> None:
    assert literal(VECTORS.embed(["🙂 !!!"])[0]) is None

    publish(log, ALICE, "🙂")
    fold(pool, documents())

    with pool.connection() as connection:
        rows = connection.execute("SELECT caption, vector IS NULL FROM video_documents").fetchall()
    assert rows == [("🙂", False)]  # its prompt says something


def test_folding_in_any_windows_gives_the_same_rows(pool: Pool, log: Log) -> None:
    video: Video = publish(log, ALICE, "a fox")
    rewrite(video, "an owl")
    log.save(video)
    fold(pool, documents())
    rows = "SELECT video_documents::text FROM video_documents ORDER BY video_id"

    with pool.connection() as connection:
        before = connection.execute(rows).fetchall()
    fold(pool, documents())

    with pool.connection() as connection:
        assert connection.execute(rows).fetchall() == before
