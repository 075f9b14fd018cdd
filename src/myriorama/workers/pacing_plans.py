"""The lines that are paced: what each is to spend today and by when, and what it bids for that."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ads.day_budgets import Funds, day_budgets
from ads.days import day_of
from ads.lines import Line
from ads.opportunities import Coming, Day
from ads.pacing import GAINS, LEAST, State, step, urgency
from ads.targets import SLICES, Forecast, Mode, forecast, onward, target
from myriorama.billing.pacing import LinePlan, PacedLine, PlannedDay
from myriorama.workers.planned_days import planned_day

Array = NDArray[np.float64]

_DAY_MS = 86_400_000
_NEVER_MS = 1 << 62
_LEAST = LEAST * (1 + 1e-9)
_OTHER_BUDGET = 0.02
"""A plan is made anew when the budget of a day changes by more than this part of it."""


class Stepped(NamedTuple):
    """What came of a step: multipliers to be published, plans to be kept, and days to be told."""

    multipliers: Mapping[UUID, float]
    plans: Sequence[LinePlan]
    days: Sequence[PlannedDay]


class _Outlook(NamedTuple):
    """What a line may expect of a day: when its value comes, and how much, in micros."""

    shape: Array
    micros: float


class _Day(NamedTuple):
    """The lines of a step, in rows: how much of the day has passed, and what is to be spent."""

    passed: Array
    budget: Array
    spent: Array
    issued: Array

    @property
    def share(self) -> Array:
        """The part of the budget that is spent, or about to be."""
        gone = (self.spent + self.issued) / np.where(self.budget > 0, self.budget, 1.0)
        return np.where(self.budget > 0, np.minimum(gone, 1.0), 1.0)


class Pacing:
    """Goes on with what was published and planned before; what is new bids all of its bid."""

    def __init__(self, published: Mapping[UUID, float], plans: Mapping[UUID, LinePlan]) -> None:
        self._published = dict(published)
        self._plans = dict(plans)
        self._outlooks = dict[UUID, _Outlook]()
        self._fresh = set[UUID]()
        self._rows = dict[UUID, int]()
        self._state = State.warm([])
        self._stepped_ms: int | None = None

    @staticmethod
    def days(lines: Sequence[Line], at_ms: int) -> Sequence[Day]:
        """Return the present day of each line."""
        zones = {line.zone: ZoneInfo(line.zone) for line in lines}
        now = {name: Day.of(day_of(at_ms, zone), zone) for name, zone in zones.items()}
        return [now[line.zone] for line in lines]

    def expect(self, lines: Sequence[Line], ahead: Coming) -> None:
        """Take what is expected of the day; plans follow it from now on."""
        shapes = forecast(ahead.value, ahead.pages, ahead.is_open).cumulative
        micros = ahead.value.sum(axis=0)
        self._outlooks = {
            line.line_id: _Outlook(shapes[:, row], float(micros[row]))
            for row, line in enumerate(lines)
        }
        self._fresh = set(self._outlooks)

    def step(self, lines: Sequence[PacedLine], at_ms: int) -> Stepped:
        """Adapt every line to what was spent by now."""
        if not lines:
            return Stepped({}, [], [])
        lines = [_early(line) for line in lines]
        days = _days_of(lines)
        budgets = day_budgets([_funds(line, day) for line, day in zip(lines, days, strict=True)])
        day = _Day(
            np.array([one.share(at_ms) for one in days]),
            np.array([budgets[line.line_id] for line in lines], np.float64),
            np.array([line.spent_today_micros for line in lines], np.float64),
            np.array([line.issued_micros for line in lines], np.float64),
        )
        made, begun = self._planned(lines, day)
        wanted = self._wanted(lines, day.passed)
        before = self._aligned(lines)
        # What begins here has no error to correct, so nothing jumps when a plan is made.
        off = (day.spent + day.issued - wanted * day.budget) / np.maximum(
            day.budget, GAINS.floor_micros
        )
        begun |= np.isnan(before.errors)
        before = before._replace(errors=np.where(begun, off, before.errors))
        dt = 0.0 if self._stepped_ms is None else (at_ms - self._stepped_ms) / _DAY_MS
        self._state = step(before, day.spent, day.issued, day.budget, wanted, dt=dt)
        self._stepped_ms = at_ms
        bids = self._bids(lines, day)
        of = {
            line.line_id: (line.zone, bid) for line, bid in zip(lines, bids.tolist(), strict=True)
        }
        told = [planned_day(plan, *of[plan.line_id]) for plan in made]
        return Stepped(self._news(lines, bids), made, told)

    def _planned(
        self, lines: Sequence[PacedLine], day: _Day
    ) -> tuple[Sequence[LinePlan], NDArray[np.bool_]]:
        """Plan for whom there is no plan of today's budget, and follow what is newly expected.

        Returns:
            The plans that were made, and which lines begin anew.
        """
        known = [self._plans.get(line.line_id) for line in lines]
        pairs = zip(lines, known, day.budget, strict=True)
        begun = np.array([not _is_of(plan, line, micros) for line, plan, micros in pairs])
        rows = [n for n, one in enumerate(lines) if begun[n] or one.line_id in self._fresh]
        if not rows:
            return [], begun
        for row, line in enumerate(lines):
            self._plans.setdefault(line.line_id, _even(line, int(day.budget[row])))
        reached = np.where(begun, day.share, self._wanted(lines, day.passed))
        made = [
            LinePlan(
                lines[row].line_id,
                lines[row].day,
                lines[row].mode,
                int(day.budget[row]),
                self._shape_of(lines[row].line_id),
                float(day.passed[row]),
                float(reached[row]),
            )
            for row in rows
        ]
        self._plans.update({plan.line_id: plan for plan in made})
        self._fresh.clear()
        return made, begun

    def _shape_of(self, line_id: UUID) -> Array:
        outlook = self._outlooks.get(line_id)
        return outlook.shape if outlook else self._plans[line_id].shape

    def _wanted(self, lines: Sequence[PacedLine], passed: Array) -> Array:
        """Return the share of each budget that is to be spent by now."""
        plans = [self._plans[line.line_id] for line in lines]
        shapes = Forecast(np.stack([plan.shape for plan in plans], axis=1))
        begun = shapes.share_at([plan.passed for plan in plans])
        come = shapes.share_at(passed)
        wanted = np.empty(len(lines))
        modes: set[Mode] = {line.mode for line in lines}
        for mode in modes:
            rows = np.array([line.mode == mode for line in lines])
            reached = np.array([plan.reached for plan in plans])[rows]
            wanted[rows] = onward(target(mode, come[rows]), target(mode, begun[rows]), reached)
        return wanted

    def _aligned(self, lines: Sequence[PacedLine]) -> State:
        """Return the state of these lines: as it was, or warm from what was published.

        Those that are warm have no errors yet: NaN.
        """
        logarithms = np.log([self._published.get(line.line_id, 1.0) for line in lines])
        errors, published = np.full(len(lines), np.nan), logarithms.copy()
        at = np.array([self._rows.get(line.line_id, -1) for line in lines])
        is_known = at >= 0
        logarithms[is_known] = self._state.logarithms[at[is_known]]
        errors[is_known] = self._state.errors[at[is_known]]
        published[is_known] = self._state.published[at[is_known]]
        self._rows = {line.line_id: row for row, line in enumerate(lines)}
        return State(logarithms, errors, published)

    def _bids(self, lines: Sequence[PacedLine], day: _Day) -> Array:
        """Return the part of its bid that each line bids: by its plan, its urgency, or all.

        What comes is also wanted by others: urgency alone, which does not know it, would let a
        guaranteed line bid less than they do until the day is nearly over.
        """
        nothing = _Outlook(np.zeros(0), 0.0)
        micros = np.array([self._outlooks.get(line.line_id, nothing).micros for line in lines])
        shapes = [self._plans[line.line_id].shape for line in lines]
        come = Forecast(np.stack(shapes, axis=1)).share_at(day.passed)
        urgent = urgency(day.budget - day.spent, micros * (1.0 - come))
        is_guaranteed = np.array([line.guaranteed for line in lines])
        is_asap = np.array([line.mode == "asap" for line in lines])
        paced = np.where(is_asap & (day.budget > 0), 1.0, self._state.multipliers)
        return np.where(is_guaranteed, np.maximum(urgent, paced), paced)

    def _news(self, lines: Sequence[PacedLine], bids: Array) -> Mapping[UUID, float]:
        """Return what is not as it was published, and is worth another index."""
        news = dict[UUID, float]()
        for line, bid in zip(lines, bids.tolist(), strict=True):
            known = self._published.get(line.line_id)
            is_other = known is None or abs(np.log(bid / known)) >= GAINS.hysteresis
            if is_other or (bid != known and not _LEAST < bid < 1.0):
                news[line.line_id] = bid
        self._published.update(news)
        return news


def _early(line: PacedLine) -> PacedLine:
    """Return the line as it is paced: a guaranteed one early, before something is in its way."""
    return line._replace(mode="front") if line.guaranteed and line.mode == "even" else line


def _is_of(plan: LinePlan | None, line: PacedLine, budget: float) -> bool:
    """Whether a plan is of the line's day, mode and budget."""
    if plan is None or (plan.day, plan.mode) != (line.day, line.mode):
        return False
    return bool(abs(plan.budget_micros - budget) <= _OTHER_BUDGET * plan.budget_micros)


def _even(line: PacedLine, micros: int) -> LinePlan:
    shape = np.linspace(0.0, 1.0, SLICES + 1)
    return LinePlan(line.line_id, line.day, line.mode, micros, shape, 0.0, 0.0)


def _days_of(lines: Sequence[PacedLine]) -> Sequence[Day]:
    present = {(line.zone, line.day) for line in lines}
    days = {(zone, day): Day.of(date.fromordinal(day), ZoneInfo(zone)) for zone, day in present}
    return [days[line.zone, line.day] for line in lines]


def _funds(line: PacedLine, day: Day) -> Funds:
    return Funds(
        line_id=line.line_id,
        campaign_id=line.campaign_id,
        advertiser_id=line.advertiser_id,
        daily_micros=line.daily_micros,
        lifetime_micros=line.lifetime_micros,
        spent_today_micros=line.spent_today_micros,
        spent_micros=line.spent_micros,
        campaign_micros=line.campaign_micros,
        campaign_spent_micros=line.campaign_spent_micros,
        advertiser_micros=line.advertiser_micros,
        advertiser_spent_micros=line.advertiser_spent_micros,
        day_ends_ms=day.ends_ms,
        line_until_ms=_ms(line.ends_at),
        campaign_until_ms=_ms(line.campaign_ends_at),
    )


def _ms(instant: datetime | None) -> int:
    return _NEVER_MS if instant is None else int(instant.timestamp() * 1000)
