"""Understands what people say of their feed: "less food, more claymation, no politics this week".

A sentence is read from left to right. Words that ask (markers) open a clause; what follows, up to
the next, is what is asked for, cut at pauses into subjects; times end the rules of their clause,
and of all clauses if they are said first. No word is understood that is not in a table of
`languages/`; what is not understood is told, and harms nothing. The work is linear in the text.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from ranking.steering.clauses import read_clauses
from ranking.steering.languages import LANGUAGES
from ranking.steering.languages.lexicon import Lexicon
from ranking.steering.said import NOT_UNDERSTOOD_MAX, RULES_MAX, Asked, Missed, Said
from ranking.steering.subjects import read_subjects
from ranking.steering.times import End, default_end, find_time
from ranking.steering.tokens import Sort, Token, sentences, tokenise


def understand(text: str, *, at: datetime, utc_offset_minutes: int = 0) -> Said:
    """Return the rules that a text asks for, and what of it was not understood.

    Args:
        text: in any language; English, German, French and Spanish are understood.
        at: now; times are counted from it.
        utc_offset_minutes: how far the clock of who says it is ahead of UTC.
    """
    now = at.astimezone(timezone(timedelta(minutes=utc_offset_minutes)))
    rules, missed = list[Asked](), list[Missed]()
    for sentence in sentences(tokenise(text)):
        found, lost = _understand(text, sentence, now)
        rules += found
        missed += lost
    kept = _latest(rules)
    if len(kept) > RULES_MAX:
        missed = [*(Missed(rule.said, "too_many") for rule in kept[RULES_MAX:]), *missed]
    if not kept and not missed and text.strip():
        missed = [Missed(text.strip()[:200], "nothing_asked")]
    return Said(tuple(kept[:RULES_MAX]), tuple(missed[:NOT_UNDERSTOOD_MAX]))


def _understand(
    text: str, sentence: Sequence[Token], now: datetime
) -> tuple[Sequence[Asked], Sequence[Missed]]:
    if any(token.sort is Sort.CODE for token in sentence):
        return [], [Missed(_cut(text, sentence), "unreadable")]
    lexicon = _language(sentence, now)
    rules, missed = list[Asked](), list[Missed]()
    for clause in read_clauses(sentence, lexicon, now):
        said = _cut(text, clause.tokens)
        marker = clause.marker
        if clause.problem:
            missed.append(Missed(said, clause.problem))
            continue
        if marker is None:
            continue
        end = clause.end or (End(None) if marker.is_for_good else default_end(now))
        subjects, lost = read_subjects(clause.subject, lexicon)
        if lost or not subjects:
            missed.append(Missed(said, "no_subject"))
        rules += [
            Asked(
                kind=marker.kind,
                about=subject.about,
                terms=subject.terms,
                strength=marker.strength,
                expires_at=end.at,
                is_default_end=end.is_default,
                said=said,
            )
            for subject in subjects
        ]
    return rules, missed


def _latest(rules: Sequence[Asked]) -> Sequence[Asked]:
    """Return one rule a subject: what was said last of it."""
    return list({(rule.about, rule.terms): rule for rule in rules}.values())


def _language(sentence: Sequence[Token], now: datetime) -> Lexicon:
    words = [token.text if token.sort is Sort.WORD else "" for token in sentence]
    return max(LANGUAGES, key=lambda lexicon: _known(words, lexicon, now))


def _known(words: Sequence[str], lexicon: Lexicon, now: datetime) -> int:
    """Return how many of the words a language knows; those that ask count double."""
    known, place = 0, 0
    while place < len(words):
        asks = lexicon.markers.find(words, place) or lexicon.requests.find(words, place)
        time = find_time(words, place, lexicon.times, now)
        filler = lexicon.fillers.find(words, place)
        if asks:
            known += 2 * asks[0]
            place += asks[0]
        elif time and time.end:
            known += time.length
            place += time.length
        elif filler:
            known += filler[0]
            place += filler[0]
        else:
            place += 1
    return known


def _cut(text: str, tokens: Sequence[Token]) -> str:
    return text[tokens[0].start : tokens[-1].stop][:200].strip() if tokens else ""
