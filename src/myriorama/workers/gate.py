"""The gate of the API, as a worker stands before it: claim, beat, deliver, give up."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx
import msgspec
import structlog
from opentelemetry import propagate

from domain.generation.work import Delivery, Work

logger = structlog.get_logger(__name__)

_PATIENCE_S = 10.0


class GateClosed(Exception):
    """The API does not answer, or not as it should. The same may be asked again later."""


class GateBroken(GateClosed):
    """The API answers, and not as it should: it is at a loss, or does not know our token."""


class Order(msgspec.Struct, frozen=True):
    """Whether the worker is to go on."""

    go_on: bool


class Gate:
    """Asks with the worker's token, in the trace of the request that the work is for.

    May be used by several threads at once.
    """

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_PATIENCE_S
        )

    def claim(self, generation_id: UUID, *, worker: str, attempt: int) -> Work | None:
        """Return the work; None if it is not to be had: claimed by another, cancelled, and so on.

        Raises:
            GateClosed: ask again.
        """
        answer = self._post(generation_id, "claim", {"worker": worker, "attempt": attempt})
        return msgspec.json.decode(answer, type=Work) if answer is not None else None

    def heartbeat(self, work: Work, *, done: int, total: int) -> bool:
        """Tell that we are alive; return whether to go on.

        Raises:
            GateClosed: nobody heard.
        """
        beat = {"attempt": work.attempt, "done": done, "total": total}
        answer = self._post(work.generation_id, "heartbeat", beat)
        return answer is not None and msgspec.json.decode(answer, type=Order).go_on

    def complete(self, work: Work, delivery: Delivery) -> bool:
        """Deliver; return whether it was taken.

        Raises:
            GateClosed: deliver again; twice does no harm.
        """
        made = {"attempt": work.attempt, **msgspec.to_builtins(delivery)}
        return self._post(work.generation_id, "complete", made) is not None

    def fail(self, work: Work, *, reason: str, detail: str) -> None:
        """Give the attempt up. If it is no longer ours, that is as good.

        Raises:
            GateClosed: nobody heard; the lease will tell.
        """
        failure = {"attempt": work.attempt, "reason": reason, "detail": detail[:500]}
        self._post(work.generation_id, "fail", failure)

    def close(self) -> None:
        self._client.close()

    def _post(self, generation_id: UUID, action: str, content: dict[str, Any]) -> bytes | None:
        """Return the answer's body; None if a rule refused."""
        headers: dict[str, str] = {}
        propagate.inject(headers)
        try:
            answer = self._client.post(
                f"/v1/work/{generation_id}/{action}", json=content, headers=headers
            )
        except httpx.TransportError as error:
            raise GateClosed(repr(error)) from error
        if answer.is_success:
            return answer.content
        if answer.status_code in _REFUSALS:
            logger.info("refused", action=action, generation=str(generation_id), answer=answer.text)
            return None
        raise GateBroken(f"{answer.status_code} {answer.text[:200]}")


_REFUSALS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})
