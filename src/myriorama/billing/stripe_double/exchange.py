"""One request and its answer, as Stripe documents them: keys, errors, and what a fault leaves.

The outcome of the first execution under a key, a 500 too, is what the key answers for a day; what
was refused before it was executed is not kept.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

import msgspec

from myriorama.billing.stripe_double.bank import Bank, CardRefused, Missing, StateUnfit, Thing
from myriorama.billing.stripe_double.cards import Decline
from myriorama.billing.stripe_double.parameters import ParameterWrong
from myriorama.billing.stripe_double.routes import RouteUnknown, routed

KEY_KEPT_S = 86_400

_KEY_CHARACTERS_MAX = 255


class Fault(Enum):
    """What may go wrong with a request."""

    NONE = auto()
    LOST = auto()
    """It never arrives."""
    LATE = auto()
    """It arrives after its sender has given up."""
    UNANSWERED = auto()
    """It is executed, and the connection ends before the answer."""
    FAILED_BEFORE = auto()
    """A 500, and nothing was done."""
    FAILED_AFTER = auto()
    """A 500, and all was done."""
    TOO_MANY = auto()
    """A 429."""


class ConnectionEnded(Exception):
    """No answer will come."""


class Asked(NamedTuple):
    """A request. The names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


class Answered(NamedTuple):
    """An answer. `replayed`: it is the first one's."""

    status: int
    body: bytes
    replayed: bool = False


class _Kept(NamedTuple):
    fingerprint: bytes
    since_s: int
    answer: Answered | None


class Exchange:
    """Answers requests, from any thread. `fault` is asked of each what is to go wrong with it."""

    def __init__(
        self,
        bank: Bank,
        *,
        clock_s: Callable[[], int],
        api_version: str,
        fault: Callable[[Asked], Fault] = lambda _: Fault.NONE,
        while_executing: Callable[[Asked], None] = lambda _: None,
    ) -> None:
        self.bank = bank
        self._clock_s = clock_s
        self._api_version = api_version
        self._fault = fault
        self._while_executing = while_executing
        self._keys: dict[str, _Kept] = {}
        self._late: list[Asked] = []
        self._lock = threading.RLock()

    def answer(self, asked: Asked) -> Answered:
        """Answer a request.

        Raises:
            ConnectionEnded: a fault keeps the answer from its sender.
        """
        fault = self._fault(asked)
        match fault:
            case Fault.LOST:
                raise ConnectionEnded
            case Fault.LATE:
                self._late.append(asked)
                raise ConnectionEnded
            case Fault.TOO_MANY:
                return _refusal(429, "rate_limit_error", "Too many requests", code="rate_limit")
            case Fault.UNANSWERED:
                self._keyed(asked, fault)
                raise ConnectionEnded
            case _:
                return self._keyed(asked, fault)

    def arrive(self) -> int:
        """Execute what was on its way too long. Returns how many requests that were."""
        late, self._late = self._late, []
        for asked in late:
            self._keyed(asked, Fault.NONE)
        return len(late)

    def kept(self) -> Thing:
        """Return the keys and their answers, to be restored."""
        with self._lock:
            return {key: kept for key, kept in self._keys.items() if kept.answer is not None}

    def restore(self, kept: Thing) -> None:
        """Take up the keys that another had `kept`."""
        self._keys = msgspec.convert(kept, dict[str, _Kept])

    def _keyed(self, asked: Asked, fault: Fault) -> Answered:
        if refused := self._unauthorised(asked):
            return refused
        key = asked.headers.get("idempotency-key")
        if asked.method != "POST" or key is None:
            return self._executed(asked, fault)
        if not 0 < len(key) <= _KEY_CHARACTERS_MAX:
            return _refusal(400, "invalid_request_error", "The idempotency key is too long.")
        fingerprint = hashlib.sha256(b"\0".join((asked.path.encode(), asked.body))).digest()
        with self._lock:
            kept = self._keys.get(key)
            if kept is not None and self._clock_s() - kept.since_s < KEY_KEPT_S:
                return _again(kept, fingerprint)
            self._keys[key] = _Kept(fingerprint, self._clock_s(), None)
        try:
            answer = self._executed(asked, fault)
        except BaseException:
            del self._keys[key]
            raise
        with self._lock:
            if _was_executed(answer):
                self._keys[key] = _Kept(fingerprint, self._clock_s(), answer)
            else:
                del self._keys[key]
        return answer

    def _unauthorised(self, asked: Asked) -> Answered | None:
        scheme, _, secret = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not secret.startswith("sk_test_"):
            return _refusal(401, "invalid_request_error", "Invalid API Key provided.")
        if asked.headers.get("stripe-version") != self._api_version:
            return _refusal(400, "invalid_request_error", "The double speaks another version.")
        return None

    def _executed(self, asked: Asked, fault: Fault) -> Answered:
        self._while_executing(asked)
        failed = _refusal(500, "api_error", "An unknown error occurred.")
        if fault is Fault.FAILED_BEFORE:
            return failed
        with self._lock:
            answer = self._done(asked)
        return failed if fault is Fault.FAILED_AFTER and _was_executed(answer) else answer

    def _done(self, asked: Asked) -> Answered:
        invalid = "invalid_request_error"
        try:
            thing = routed(self.bank, asked.method, asked.path, asked.query, asked.body)
        except ParameterWrong as wrong:
            return _refusal(400, invalid, str(wrong), code=wrong.code, param=wrong.name)
        except RouteUnknown as unknown:
            return _refusal(404, invalid, f"Unrecognized request URL ({unknown}).")
        except Missing as missing:
            return _refusal(404, invalid, f"No such thing: {missing}", code="resource_missing")
        except StateUnfit as unfit:
            return _refusal(400, invalid, str(unfit), code="intent_unexpected_state")
        except CardRefused as refused:
            return _refusal(
                402,
                "card_error",
                str(refused),
                payment_intent=refused.intent,
                **_codes(refused.decline),
            )
        return Answered(200, msgspec.json.encode(thing))


def _codes(decline: Decline) -> Mapping[str, str]:
    codes = {"code": decline.code, "decline_code": decline.decline_code}
    return {name: code for name, code in codes.items() if code is not None}


def _again(kept: _Kept, fingerprint: bytes) -> Answered:
    if kept.fingerprint != fingerprint:
        told = "Keys for idempotent requests can only be used with the same parameters."
        return _refusal(400, "idempotency_error", told)
    if kept.answer is None:
        told = "There is currently another in-progress request using this Idempotent Key."
        return _refusal(409, "idempotency_error", told, code="idempotency_key_in_use")
    return kept.answer._replace(replayed=True)


def _was_executed(answer: Answered) -> bool:
    return answer.status in {200, 402, 500}


def _refusal(status: int, kind: str, message: str, **fields: Any) -> Answered:
    error: Thing = {"type": kind, "message": message, **fields}
    return Answered(status, msgspec.json.encode({"error": error}))
