"""The rules of a creative, and of its review."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.creative.content import Content, check_content
from domain.creative.errors import (
    CreativeAppealImpossible,
    CreativeNameInvalid,
    CreativeNotFound,
    CreativeNotInReview,
    CreativeWithdrawnForGood,
)
from domain.creative.events import (
    CreativeAppealed,
    CreativeApproved,
    CreativeCapsChanged,
    CreativeChecked,
    CreativeDrafted,
    CreativeEdited,
    CreativeEvent,
    CreativeRejected,
    CreativeRenamed,
    CreativeSubmitted,
    CreativeWithdrawn,
)
from domain.creative.review import Check, check_note, check_reasons
from domain.frequency import FrequencyCap, check_caps
from domain.text import is_name

NAME_LENGTH_MAX = 100


class Creative(Aggregate):
    """A video as an ad: draft, in review, approved or rejected; withdrawn for good.

    What it shows and where it leads is reviewed, and again after every change. Its name and caps
    are not.
    """

    TOPIC = "creative"

    def __init__(
        self, *, advertiser_id: UUID, name: str, content: Content, caps: tuple[FrequencyCap, ...]
    ) -> None:
        self.advertiser_id = advertiser_id
        self.name = name
        self.content = content
        self.caps = tuple(caps)
        self.state: Literal["draft", "in_review", "approved", "rejected", "withdrawn"] = "draft"
        self.is_appealed = False
        self._was_upheld = False

    @classmethod
    def draft(  # noqa: PLR0913 - the fields of the first event
        cls,
        creative_id: UUID,
        *,
        advertiser_id: UUID,
        name: str,
        content: Content,
        caps: Sequence[FrequencyCap],
        by: UUID,
        at: datetime,
    ) -> Self:
        """Return a new draft.

        Raises:
            CreativeNameInvalid, FrequencyCapInvalid: it cannot be like this.
            Invalid: the content cannot be an ad; see `check_content`.
        """
        _check_name(name)
        check_content(content)
        check_caps(caps)
        return cls.begin(
            CreativeDrafted,
            creative_id,
            at,
            advertiser_id=advertiser_id,
            name=name,
            content=content,
            caps=tuple(caps),
            by=by,
        )

    def require_of(self, advertiser_id: UUID) -> None:
        """Let pass the advertiser whose creative it is.

        Raises:
            CreativeNotFound: it is another's.
        """
        if advertiser_id != self.advertiser_id:
            raise CreativeNotFound("There is no such creative.")

    def edit(
        self,
        *,
        name: str,
        content: Content,
        caps: Sequence[FrequencyCap],
        by: UUID,
        at: datetime,
    ) -> bool:
        """Change it; return whether it has to be reviewed anew, since it was submitted before.

        Raises:
            CreativeWithdrawnForGood: it is there no more.
            CreativeNameInvalid, FrequencyCapInvalid: it cannot be like this.
            Invalid: the content cannot be an ad; see `check_content`.
        """
        self._require_there()
        _check_name(name)
        check_content(content)
        check_caps(caps)
        if name != self.name:
            self.trigger(CreativeRenamed, at, name=name, by=by)
        if tuple(caps) != self.caps:
            self.trigger(CreativeCapsChanged, at, caps=tuple(caps), by=by)
        if content == self.content:
            return False
        was_submitted = self.state != "draft"
        self.trigger(CreativeEdited, at, content=content, by=by)
        return was_submitted

    def submit(self, checks: Sequence[Check], *, by: UUID, at: datetime) -> None:
        """Have it reviewed: a refusal rejects it, a doubt is for people. Again records nothing.

        Raises:
            CreativeWithdrawnForGood: it is there no more.
        """
        self._require_there()
        if self.state != "draft":
            return
        self.trigger(CreativeSubmitted, at, by=by)
        for check in checks:
            self.trigger(
                CreativeChecked,
                at,
                check=check.check,
                version=check.version,
                verdict=check.verdict,
                code=check.code,
                detail=check.detail,
            )
        if refused := [check.code for check in checks if check.verdict == "refuse"]:
            reasons = tuple(dict.fromkeys(refused))
            self.trigger(CreativeRejected, at, by=None, reasons=reasons, note="")
        elif all(check.verdict == "allow" for check in checks):
            self.trigger(CreativeApproved, at, by=None, note="")

    def appeal(self, statement: str, *, by: UUID, at: datetime) -> None:
        """Ask for somebody to look at the rejection. Again, while nobody has, records nothing.

        Raises:
            CreativeWithdrawnForGood: it is there no more.
            NoteInvalid: the statement cannot be read.
            CreativeAppealImpossible: it was not rejected, or the appeal was decided before.
        """
        self._require_there()
        check_note(statement)
        if self.is_appealed:
            return
        if self.state != "rejected" or self._was_upheld:
            raise CreativeAppealImpossible("There is no rejection that could be appealed.")
        self.trigger(CreativeAppealed, at, statement=statement, by=by)

    def approve(self, note: str, *, by: UUID, at: datetime) -> None:
        """Let it be shown; `by` moderates. Again records nothing.

        Raises:
            CreativeNotInReview: nobody is to decide on it.
            NoteInvalid: the note cannot be read.
        """
        check_note(note)
        if self.state == "approved":
            return
        self._require_in_review()
        self.trigger(CreativeApproved, at, by=by, note=note)

    def reject(self, reasons: tuple[str, ...], note: str, *, by: UUID, at: datetime) -> None:
        """Let it not be shown, or no longer; `by` moderates. Again records nothing.

        Raises:
            CreativeNotInReview: nobody is to decide on it.
            ReasonsInvalid, NoteInvalid: it does not say why.
        """
        check_reasons(reasons)
        check_note(note)
        if self.state == "rejected":
            return
        if self.state != "approved":
            self._require_in_review()
        self.trigger(CreativeRejected, at, by=by, reasons=reasons, note=note)

    def withdraw(self, *, by: UUID, at: datetime) -> None:
        """Show it no more, for good. Again records nothing."""
        if self.state != "withdrawn":
            self.trigger(CreativeWithdrawn, at, by=by)

    def evolve(self, event: CreativeEvent) -> None:
        match event:
            case CreativeDrafted() | CreativeChecked():
                pass  # __init__ took its fields; what checks say is decided on elsewhere.
            case CreativeRenamed():
                self.name = event.name
            case CreativeCapsChanged():
                self.caps = tuple(event.caps)
            case CreativeEdited():
                self.content = event.content
                self.state, self.is_appealed, self._was_upheld = "draft", False, False
            case CreativeSubmitted():
                self.state = "in_review"
            case CreativeApproved():
                self.state, self.is_appealed = "approved", False
            case CreativeRejected():
                self._was_upheld = self.is_appealed
                self.state, self.is_appealed = "rejected", False
            case CreativeAppealed():
                self.state, self.is_appealed = "in_review", True
            case CreativeWithdrawn():
                self.state = "withdrawn"
            case _:
                assert_never(event)

    def _require_there(self) -> None:
        if self.state == "withdrawn":
            raise CreativeWithdrawnForGood("The creative has been withdrawn.")

    def _require_in_review(self) -> None:
        if self.state != "in_review":
            raise CreativeNotInReview("Nobody is to decide on this creative.")


def _check_name(name: str) -> None:
    if not is_name(name) or len(name) > NAME_LENGTH_MAX:
        raise CreativeNameInvalid(f"A name is one line of 1 to {NAME_LENGTH_MAX} characters.")
