"""Routes of steering: say what a feed should be like, see what was understood, edit and undo it."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from domain.steering.errors import SteeringTextInvalid
from domain.text import is_seen
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.steering import Edit, Steerings
from myriorama.store.front import Front
from ranking.steering.parser import understand

TEXT_LENGTH_MAX = 10_000

RULES = """
    SELECT rule_id, kind, about, terms, author_id, strength, expires_at, said, added_at
    FROM steering_rules WHERE account_id = %s AND (expires_at IS NULL OR expires_at > %s)
    ORDER BY position
"""

LESS = """
    SELECT video_id, asked_at FROM lessened_videos WHERE account_id = %s
    ORDER BY position DESC LIMIT 100
"""

CHOICE = "SELECT personalised, forgotten_at FROM personalisation WHERE account_id = %s"

Strength = Annotated[
    int, msgspec.Meta(ge=1, le=100, description="1, hardly, to 100, fully.", examples=[75])
]
Words = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=TEXT_LENGTH_MAX,
        examples=["less food, more claymation, nothing political this week"],
    ),
]
# From UTC-12 to UTC+14.
Offset = Annotated[int, msgspec.Meta(ge=-720, le=840, examples=[60])]


class NewSteering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a feed should be like, in English, German, French or Spanish.

    "today" and "until Friday" are told by a clock that is `utc_offset_minutes` ahead of UTC.
    """

    say: Words
    utc_offset_minutes: Offset = 0


class Rule(msgspec.Struct, frozen=True):
    """More of something ("boost"), at most a share of it ("limit"), or none ("hide").

    `about` says what `terms` are: a "topic", a "hashtag", the handle of an "author", a "length", a
    "mood", a "form" or a "circle". A rule without an end lasts until it is taken back.
    """

    rule_id: UUID
    kind: Annotated[str, msgspec.Meta(examples=["limit"])]
    about: Annotated[str, msgspec.Meta(examples=["topic"])]
    terms: Annotated[list[str], msgspec.Meta(examples=[["food"]])]
    author_id: UUID | None
    strength: Strength
    expires_at: datetime | None
    said: Annotated[str, msgspec.Meta(examples=["less food"])]


class KeptRule(Rule, frozen=True):
    """A rule that has not ended."""

    added_at: datetime


class NotUnderstood(msgspec.Struct, frozen=True):
    """A part of what was said that became no rule.

    `reason` is "nothing_asked", "no_subject", "not_a_wish", "time", "unreadable", "too_many" or
    "unknown_account".
    """

    said: str
    reason: Annotated[str, msgspec.Meta(examples=["nothing_asked"])]


class Steered(msgspec.Struct, frozen=True):
    """The rules that were understood and are kept, and what was not understood."""

    rules: list[Rule]
    not_understood: list[NotUnderstood]


class RuleEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. A null end is none."""

    strength: Strength | msgspec.UnsetType = msgspec.UNSET
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )


class Edited(msgspec.Struct, frozen=True):
    """A rule's strength and end, as they are now."""

    rule_id: UUID
    strength: int
    expires_at: datetime | None


class Lessened(msgspec.Struct, frozen=True):
    """A video of which less like it was asked."""

    video_id: UUID
    asked_at: datetime


class NewLess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The video of which to see less like it."""

    video_id: UUID


class Personalisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the feed follows what its owner did."""

    personalised: bool


class Steering(msgspec.Struct, frozen=True):
    """All that you said of your feed. Without personalisation nothing of you ranks it.

    What was watched before `history_forgotten_at` says nothing of your taste.
    """

    rules: list[KeptRule]
    less: list[Lessened]
    personalised: bool
    history_forgotten_at: datetime | None


class Choice(msgspec.Struct, frozen=True):
    """What an account chose, as it lies on the read side."""

    personalised: bool
    forgotten_at: datetime | None


@post("/steer", opt={"scope": Scope.VIEWER}, status_code=200)
async def steer_feed(
    data: JSONBody[NewSteering],
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> Steered:
    """Say what you want more of, less of or none of, and for how long; else it is for 30 days.

    What is not understood is told and changes nothing. A rule takes the place of another of the
    same subject.
    """
    if not is_seen(data.say):
        raise SteeringTextInvalid("What steers a feed has something in it that can be seen.")
    at = datetime.now(UTC)
    said = await asyncio.to_thread(
        understand, data.say, at=at, utc_offset_minutes=data.utc_offset_minutes
    )
    steered = await front.command(steerings.steer, said, by=principal.account_id, at=at)
    return Steered(
        rules=[
            Rule(
                rule_id=wish.rule_id,
                kind=wish.kind,
                about=wish.about,
                terms=list(wish.terms),
                author_id=wish.author_id,
                strength=wish.strength,
                expires_at=wish.expires_at,
                said=wish.said,
            )
            for wish in steered.rules
        ],
        not_understood=[NotUnderstood(*missed) for missed in steered.not_understood],
    )


@get("/steer", opt={"scope": Scope.VIEWER})
async def show_steering(
    principal: NamedDependency[Principal], reads: NamedDependency[Reads]
) -> Steering:
    """Show all that you said of your feed, and that still holds."""
    account_id = principal.account_id
    rules, less, choice = await asyncio.gather(
        reads.many(KeptRule, RULES, (account_id, datetime.now(UTC))),
        reads.many(Lessened, LESS, (account_id,)),
        reads.one(Choice, CHOICE, (account_id,)),
    )
    return Steering(
        rules=rules,
        less=less,
        personalised=choice.personalised if choice else True,
        history_forgotten_at=choice.forgotten_at if choice else None,
    )


@patch("/steer/{rule_id:uuid}", opt={"scope": Scope.VIEWER})
async def edit_rule(
    rule_id: FromPath[UUID],
    data: JSONBody[RuleEdit],
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> Edited:
    """Make one rule weaker or stronger, or let it end at another time."""
    edit = Edit(
        strength=None if data.strength is msgspec.UNSET else data.strength,
        expires_at=None if data.expires_at is msgspec.UNSET else data.expires_at,
        keeps_end=data.expires_at is msgspec.UNSET,
    )
    by, at = principal.account_id, datetime.now(UTC)
    now = await front.command(steerings.change, rule_id, edit, by=by, at=at)
    return Edited(rule_id, now.strength, now.expires_at)


@delete("/steer/{rule_id:uuid}", opt={"scope": Scope.VIEWER})
async def undo_rule(
    rule_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> None:
    """Take one rule back: the feed is as if it had not been said."""
    await front.command(steerings.remove, rule_id, by=principal.account_id, at=datetime.now(UTC))


@delete("/steer", opt={"scope": Scope.VIEWER})
async def reset_steering(
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> None:
    """Take back all rules, and all that you asked to see less of."""
    await front.command(steerings.reset, by=principal.account_id, at=datetime.now(UTC))


@post("/less", opt={"scope": Scope.VIEWER}, status_code=204)
async def see_less(
    data: JSONBody[NewLess],
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> None:
    """See less like a video: of its author, its line and its subject. It fades within weeks."""
    await front.command(
        steerings.ask_less, data.video_id, by=principal.account_id, at=datetime.now(UTC)
    )


@delete("/less/{video_id:uuid}", opt={"scope": Scope.VIEWER})
async def undo_less(
    video_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> None:
    """Ask for less like a video no longer."""
    await front.command(
        steerings.take_less_back, video_id, by=principal.account_id, at=datetime.now(UTC)
    )


@put("/personalisation", opt={"scope": Scope.VIEWER}, status_code=204)
async def switch_personalisation(
    data: JSONBody[Personalisation],
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> None:
    """Let nothing that you did rank your feed, or let it again. What you said holds in either."""
    await front.command(
        steerings.personalise,
        personalised=data.personalised,
        by=principal.account_id,
        at=datetime.now(UTC),
    )


@delete("/history", opt={"scope": Scope.VIEWER})
async def forget_history(
    principal: NamedDependency[Principal],
    steerings: NamedDependency[Steerings],
    front: NamedDependency[Front],
) -> None:
    """Let what you watched and liked until now say nothing of your taste.

    What you have seen is still not shown again, and likes and follows stay yours.
    """
    await front.command(steerings.forget_history, by=principal.account_id, at=datetime.now(UTC))


router = Router(
    "/v1/feed",
    route_handlers=[
        steer_feed,
        show_steering,
        edit_rule,
        undo_rule,
        reset_steering,
        see_less,
        undo_less,
        switch_personalisation,
        forget_history,
    ],
    tags=["Feed"],
)
