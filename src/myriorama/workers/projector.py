"""The projector: follows each log by position and folds it into the projections' tables."""

import threading
from collections.abc import Mapping, Sequence
from functools import partial

from myriorama.replay.folding import Source
from myriorama.workers.convoy import Convoy
from myriorama.workers.straggler import Straggler
from projections.projection import AnyProjection


class Projector:
    """Runs a convoy a log, and a thread for every projection that catches up, until `stop`."""

    def __init__(
        self, sources: Mapping[str, Source], projections: Sequence[AnyProjection], *, url: str
    ) -> None:
        self._url = url
        self._sources = sources
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._stragglers: dict[threading.Thread, Straggler] = {}
        self._convoys = {
            log: Convoy(
                url,
                source,
                [projection for projection in projections if projection.log == log],
                partial(self._send_after, log),
            )
            for log, source in sources.items()
        }

    def run(self) -> None:
        """Follow the logs until `stop` is called from another thread."""
        convoys = [
            threading.Thread(target=convoy.run, name=f"project-{log}", daemon=True)
            for log, convoy in self._convoys.items()
        ]
        for thread in convoys:
            thread.start()
        for thread in convoys:
            thread.join()
        for thread in list(self._stragglers):
            thread.join()

    def stop(self) -> None:
        with self._lock:
            self._stopping.set()
            for straggler in self._stragglers.values():
                straggler.stop()
        for convoy in self._convoys.values():
            convoy.stop()

    def _send_after(self, log: str, projection: AnyProjection) -> None:
        """Let a projection catch up in a thread of its own."""
        straggler = Straggler(self._url, self._sources[log], projection)
        name = f"catch-up-{projection.name}"
        thread = threading.Thread(
            target=self._catch_up, args=(log, straggler, projection), name=name, daemon=True
        )
        with self._lock:
            if not self._stopping.is_set():
                self._stragglers[thread] = straggler
                thread.start()

    def _catch_up(self, log: str, straggler: Straggler, projection: AnyProjection) -> None:
        level = straggler.run()
        with self._lock:
            self._stragglers.pop(threading.current_thread(), None)
        if level:
            self._convoys[log].join(projection)
