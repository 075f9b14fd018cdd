"""How far a render is, as it is told to who looks on: in order, whatever comes late."""

import asyncio
from uuid import uuid4

from myriorama.store.progress import Progress, ProgressRelay

RENDER = uuid4()


def told(*news: Progress) -> list[Progress]:
    """Return what a subscriber hears of some news, each told when the one before was taken."""

    async def listen() -> list[Progress]:
        relay = ProgressRelay("127.0.0.1:1")
        heard: list[Progress] = []
        with relay.subscribe(RENDER) as queue:
            for each in news:
                relay.tell(each)
                await asyncio.sleep(0)  # what was told is handed out in the loop's next turn
                while not queue.empty():
                    heard.append(queue.get_nowait())
        relay.close()
        return heard

    return asyncio.run(listen())


def test_a_heartbeat_that_knows_no_stage_takes_none_back() -> None:
    finishing = Progress(RENDER, 1, 8, 8, stage="finishing")
    early, late = Progress(RENDER, 1, 1, 8), Progress(RENDER, 1, 8, 8)

    assert told(early, finishing, late) == [early, finishing]


def test_a_render_never_goes_backwards_but_with_another_attempt() -> None:
    waiting = Progress(RENDER, 1, 0, 8, stage="waiting")
    rendering = Progress(RENDER, 1, 5, 8, stage="rendering")
    overtaken = Progress(RENDER, 1, 4, 8, stage="rendering")
    rendered = Progress(RENDER, 1, 8, 8, stage="rendering")
    finishing = Progress(RENDER, 1, 8, 8, stage="finishing")
    again = Progress(RENDER, 2, 1, 8, stage="rendering")

    heard = told(waiting, rendering, overtaken, waiting, finishing, rendered, again, finishing)

    assert heard == [waiting, rendering, finishing, again]


def test_a_preview_is_told_though_no_step_was_done_since() -> None:
    rendering = Progress(RENDER, 1, 5, 8, stage="rendering")
    seen = Progress(RENDER, 1, 5, 8, stage="rendering", preview_key="previews/1.jpg")

    assert told(rendering, seen) == [rendering, seen]
