"""Dead letters: commands of which nothing will come, with the reason, for people to look into.

Nothing waits for them and nothing is lost with them: what a generation came to stands in the log.
"""

import msgspec

from myriorama.store.kafka import Message, Received

DEAD_LETTERS_TOPIC = "generation.dead_letters"


class DeadLetter(msgspec.Struct, frozen=True):
    """A command as it came, and from where, if a worker still knew.

    `value` is base64 in JSON: it may be any bytes.
    """

    reason: str
    detail: str
    value: bytes
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None

    @classmethod
    def of(cls, message: Received, *, reason: str, detail: str) -> "DeadLetter":
        return cls(
            reason=reason,
            detail=detail,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            value=message.value,
        )

    def message(self) -> Message:
        return Message(DEAD_LETTERS_TOPIC, msgspec.json.encode(self))
