"""Commands on refusals of the screening: appeal against one, and decide on the appeal."""

from datetime import datetime
from uuid import UUID

from domain.errors import Forbidden, NotFound
from domain.generation.aggregate import Generation
from domain.generation.errors import GenerationNotFound
from myriorama.application.consent import Consent
from myriorama.application.generations import save_ending
from myriorama.store.log import Log, retried


class Moderation:
    """What people say against a refusal, and what moderators say to that."""

    def __init__(self, log: Log, consent: Consent) -> None:
        self._log = log
        self._consent = consent

    @retried
    def appeal(self, generation_id: UUID, statement: str, *, by: UUID, at: datetime) -> None:
        """Ask for somebody to look at a refusal. Again, while nobody has, changes nothing.

        Raises:
            GenerationNotFound: there is none, or it is somebody else's.
            StatementInvalid: it is empty, too long, or cannot be read.
            AppealImpossible: no check refused it, or the refusal was appealed before.
        """
        generation = self._find(generation_id)
        generation.appeal(statement, by=by, at=at)
        self._log.save(generation)

    @retried
    def decide(
        self, generation_id: UUID, *, overturned: bool, note: str, by: UUID, at: datetime
    ) -> None:
        """Let a refusal stand or fall; `by` moderates. The same again changes nothing.

        What was refused before it was made waits to be made after all, if everyone in it still
        consents. What was made becomes a draft, and its seconds come back.

        Raises:
            GenerationNotFound: there is none.
            AppealNotOpen: nobody waits for it, or it was decided otherwise.
            OwnAppeal: `by` asked for the generation.
            StatementInvalid: the note is empty, too long, or cannot be read.
        """
        generation = self._find(generation_id)
        generation.decide_appeal(by=by, overturned=overturned, note=note, at=at)
        if not generation.is_live:
            save_ending(self._log, generation, at=at)
            return
        try:
            cast = generation.recipe.cameo_ids
            read = self._consent.require(cast, by=generation.account_id, at=at)
        except (Forbidden, NotFound) as error:
            generation.refuse(reason="consent_withdrawn", detail=str(error), at=at)
            save_ending(self._log, generation, at=at)
        else:
            self._log.save(generation, expect=read)

    def _find(self, generation_id: UUID) -> Generation:
        generation = self._log.find(Generation, generation_id)
        if generation is None:
            raise GenerationNotFound("There is no such generation.")
        return generation
