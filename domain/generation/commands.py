"""The command that crosses to a worker. Kafka carries it; whether it still holds, a claim tells."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class GenerateVideo:
    """Claim this attempt, then render it. It may arrive twice, late, or after a cancellation."""

    generation_id: UUID
    attempt: int
    work_class: str
    traceparent: str | None
