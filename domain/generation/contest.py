"""How a refusal of the screening stands: whether it can be appealed, is, and what came of that."""

from dataclasses import dataclass, replace

from domain.generation.errors import AppealImpossible, AppealNotOpen, StatementInvalid
from domain.generation.events import AppealDecided, GenerationAppealed, GenerationScreened
from domain.text import is_readable

STATEMENT_LENGTH_MAX = 1000


@dataclass(frozen=True)
class Contest:
    """What the checks and the moderators have said so far.

    `is_overturned` stays: what was refused wrongly once is paid for by nobody.
    """

    is_screened_out: bool = False
    is_appealed: bool = False
    is_overturned: bool = False
    is_upheld: bool = False

    def require_appealable(self, statement: str, *, is_refused: bool) -> bool:
        """Return whether an appeal changes anything: one is enough.

        Raises:
            StatementInvalid: it is empty, too long, or cannot be read.
            AppealImpossible: no check refused it, or the refusal was appealed before.
        """
        _require_statement(statement)
        if self.is_appealed:
            return False
        if not is_refused or not self.is_screened_out:
            raise AppealImpossible("There is no refusal of a check that could be appealed.")
        if self.is_upheld:
            raise AppealImpossible("This was appealed before, and the refusal stands.")
        return True

    def require_decidable(self, note: str, *, overturned: bool) -> bool:
        """Return whether a decision changes anything: the same again does not.

        Raises:
            StatementInvalid: it is empty, too long, or cannot be read.
            AppealNotOpen: nobody waits for it, or it was decided otherwise.
        """
        _require_statement(note)
        if not self.is_appealed:
            if self.is_overturned if overturned else self.is_upheld:
                return False
            raise AppealNotOpen("There is no open appeal.")
        return True

    def after(self, event: GenerationScreened | GenerationAppealed | AppealDecided) -> "Contest":
        """Return how it stands after an event."""
        match event:
            case GenerationScreened():
                is_out = self.is_screened_out or event.verdict == "refuse"
                return replace(self, is_screened_out=is_out)
            case GenerationAppealed():
                return replace(self, is_appealed=True)
            case AppealDecided(overturned=True):
                return Contest(is_overturned=True)
            case AppealDecided():
                return replace(self, is_appealed=False, is_upheld=True)


def _require_statement(text: str) -> None:
    if not text.strip() or len(text) > STATEMENT_LENGTH_MAX or not is_readable(text):
        raise StatementInvalid(f"Say it in 1 to {STATEMENT_LENGTH_MAX} characters.")
