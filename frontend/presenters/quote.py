"""A live quote as people read it: what it costs, what may still be wrong with the time, what happens next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from billing import wording
from billing.settlement.rules.what_if import as_if_verified
from billing.settlement.services.quotes import QuotePreview
from billing.settlement.services.session_extras import OnOffer
from billing.subsidy.rules.for_customers import for_customer
from billing.subsidy.rules.outcome import Award
from billing.subsidy.rules.parts.caps import Cap, CapPer
from booking.models import BookingConsent
from booking.rules.leaving import Fault
from booking.rules.policy import free_until
from booking.services.context import BookingContext
from booking.services.holds import Held
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.booking_form import BookingForm
from frontend.presenters.assessment import AssessmentRows, of_preview, present
from frontend.presenters.cards import NO_CARDS, CardPart
from frontend.presenters.choices import ChoicesView
from frontend.templatetags.jishi import bilingual
from frontend.whom import Whom
from instruments.models import Instrument, Organisation, OrganisationStatus
from instruments.rules.spending import is_in_house

_PLENTY, _SOME = 50, 10
_POOL_WORDS: dict[str, Promise | str] = {
    "plenty": pgettext_lazy("what is left of a budget", "Plenty is left in the programme's budget."),
    "part": pgettext_lazy("what is left of a budget", "Part of the programme's budget is left."),
    "little": pgettext_lazy("what is left of a budget", "Little is left in the programme's budget."),
    "nothing": pgettext_lazy("what is left of a budget", "After this nothing is left in the programme's budget."),
}


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """A limit of the customer's own and what this session leaves of it, in fen."""

    name: str
    programme: str
    left_fen: int
    limit_fen: int | None


class AddonRow(NamedTuple):
    """An add-on that may be chosen at ``rate_fen`` each; ``quantity`` as it was typed, ``amount_fen`` what that comes to."""

    code: str
    name: str
    rate_fen: int
    quantity: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another time of the same length that is free, as the fields of the form, with its figures where there is a price."""

    words: str
    on: str
    from_time: str
    to_time: str
    to_on: str
    payable_now_fen: int | None = None
    final_cost_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An equal instrument that is free, when, and its form with that time filled in."""

    instrument: Instrument
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class QuoteView:
    """``problems``: sentences with the id of the field to mend; without any, and with figures, the button may be pressed.
    ``wait_url``: where one can wait for the time, where somebody else has it.
    ``lab_may``: the reader, one of the lab's managers, may pass over all of them with a reason.
    ``late_cancel_fen`` and ``no_show_fen``: what the time costs when it is given back later, or not used.

    ``once_verified``: what the same session would cost after the customer's identity has been checked, where that differs.
    """

    during: TimeRange
    zone: str
    rows: AssessmentRows | None = None
    own_limits: list[OwnLimit] = field(default_factory=list)
    pool_words: list[Promise | str] = field(default_factory=list)
    once_verified: AssessmentRows | None = None
    needs_approval: bool = True
    decided_by: str = ""
    free_cancellation_until: datetime | None = None
    late_cancel_fen: int = 0
    no_show_fen: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    lab_may: bool = False
    wait_url: str = ""
    choices: ChoicesView | None = None
    """What can be chosen under the programmes; None where nothing can."""
    addons: list[AddonRow] = field(default_factory=list)
    """What may be used besides the time; its sums are beside the figures of ``rows``, without subsidy."""

    @property
    def addons_fen(self) -> int:
        return sum(row.amount_fen for row in self.addons)

    @property
    def gross_with_fen(self) -> int:
        return self._with(lambda rows: rows.gross_fen)

    @property
    def payable_now_with_fen(self) -> int:
        return self._with(lambda rows: rows.payable_now_fen)

    @property
    def final_cost_with_fen(self) -> int:
        return self._with(lambda rows: rows.final_cost_fen)

    def _with(self, figure: Callable[[AssessmentRows], int]) -> int:
        return (figure(self.rows) if self.rows is not None else 0) + self.addons_fen

    @property
    def minutes(self) -> int:
        return self.during.seconds // 60


_LAST_CALL_SECONDS = 60
"""Who keeps a time is told so long before it ends."""


@dataclass(frozen=True, slots=True)
class HoldView:
    """How the chosen time is kept. ``by_itself``: opening the form keeps it, without a press; ``unheld``: why it does not (see
    ``BookingForm``)."""

    held: Held | None = None
    seconds_left: int = 0
    problems: list[str] = field(default_factory=list)
    by_itself: bool = False
    unheld: str = ""

    @property
    def is_last_call(self) -> bool:
        return self.held is not None and self.seconds_left <= _LAST_CALL_SECONDS

    @property
    def look_again_seconds(self) -> int:
        """After how long there is something else to say: a minute before the end, and right after it."""
        return self.seconds_left + 1 if self.is_last_call else self.seconds_left - _LAST_CALL_SECONDS


def hold_view(held: Held | None, now: datetime, **rest: Any) -> HoldView:
    """``HoldView`` as it is ``now``."""
    return HoldView(held, int((held.expires_at - now).total_seconds()) if held else 0, **rest)


@dataclass(frozen=True, slots=True)
class Panel:
    """What the booking form shows. ``organisation`` is the customer chosen (None: nobody to book for); ``again``: when a booking of
    before could be had once more, the one that suits best first; ``elsewhere`` and ``wait_url``: what else one can do about a time that
    was just taken; ``manages``: the reader, a manager of the lab, may pass over its rules."""

    instrument: Instrument
    form: BookingForm
    organisations: list[Organisation]
    organisation: Organisation | None
    quote: QuoteView | None
    unreadable: list[tuple[str, str]]
    key: str
    step_seconds: int
    asks_last_day: bool
    needs_approval: bool
    bookable: bool
    zone: str
    today: date
    login_query: str
    problems: list[tuple[str, str]]
    alternatives: list[Alternative]
    again: list[Alternative] = field(default_factory=list)
    cards: CardPart = NO_CARDS
    people: list[BookingConsent] = field(default_factory=list)
    """In whose name one may book, beside one's own; ``for_person``: who is chosen."""
    for_person: int | None = None
    manages: bool = False
    hold: HoldView | None = None
    elsewhere: Elsewhere | None = None
    wait_url: str = ""
    whom: Whom | None = None
    """For whom the reader, a manager of the lab, enters it."""
    first_id: int | None = None
    """One's own request for just this time, where it was asked for already."""

    @property
    def service_modes(self) -> list[str]:
        return list(self.instrument.service_modes)


def quote_view(
    context: BookingContext,
    during: TimeRange,
    preview: QuotePreview | None,
    customer: Organisation | None,
    problems: list[tuple[str, str]],
    alternatives: list[Alternative],
    now: datetime,
    *,
    needs_approval: bool,
) -> QuoteView:
    """``preview`` is None where the instrument has no price."""
    until = free_until(during.starts_at, context.policy.cancel_notice_minutes)
    common = {
        "during": during,
        "zone": context.zone.key,
        "needs_approval": needs_approval,
        "free_cancellation_until": until if until > now else None,
        "problems": problems,
        "alternatives": alternatives,
    }
    if preview is None:
        return QuoteView(**common)  # type: ignore[arg-type]
    return QuoteView(
        **common,  # type: ignore[arg-type]
        rows=of_preview(preview, in_house=customer is not None and is_in_house(customer.pk, context.instrument.organisation_id)),
        own_limits=_own_limits(preview),
        pool_words=_pool_words(preview),
        once_verified=_once_verified(preview, customer),
        late_cancel_fen=_fee(preview, Fault.LATE_CANCEL),
        no_show_fen=_fee(preview, Fault.NO_SHOW),
    )


def addon_rows(offered: Mapping[str, OnOffer], form: BookingForm) -> list[AddonRow]:
    """What is ``offered`` besides the time (``session_extras.priced``), as it was chosen."""
    typed, chosen = form.quantities(), dict(form.chosen_addons())
    return [
        AddonRow(code, bilingual(one), one.rate_fen, typed.get(code, ""), one.rate_fen * chosen.get(code, 0))
        for code, one in offered.items()
    ]


def _fee(preview: QuotePreview, kind: Fault) -> int:
    fee = preview.fees.get(kind)
    return fee.fee_fen if fee else 0


def _awards_with_caps(preview: QuotePreview) -> list[tuple[Award, dict[str, Cap], int]]:
    found = []
    for place, (version, told) in enumerate(zip(preview.prepared.versions, preview.assessment.outcomes, strict=True)):
        outcome = for_customer(told, version.programme)
        if isinstance(outcome, Award):
            caps = {cap.id: cap for cap in version.programme.caps}
            found.append((outcome, caps, place))
    return found


def _own_limits(preview: QuotePreview) -> list[OwnLimit]:
    return [
        OwnLimit(
            wording.cap_word(caps[cap_id].per.value, caps[cap_id].payer),
            award.programme,
            left,
            _limit(preview, place, caps[cap_id]),
        )
        for award, caps, place in _awards_with_caps(preview)
        for cap_id, left in award.left_after.items()
        if caps[cap_id].per is not CapPer.POOL
    ]


def _limit(preview: QuotePreview, place: int, cap: Cap) -> int | None:
    return cap.limit(preview.prepared.inputs.candidates[place].balances.get(cap.id))


def _pool_words(preview: QuotePreview) -> list[Promise | str]:
    words = []
    for award, caps, place in _awards_with_caps(preview):
        pools = [
            (left, _limit(preview, place, caps[cap_id]))
            for cap_id, left in award.left_after.items()
            if caps[cap_id].per is CapPer.POOL
        ]
        shares = [left * 100 // limit for left, limit in pools if limit]
        if shares:
            words.append(_POOL_WORDS[_how_much(min(shares), min(left for left, _ in pools))])
    return words


def _how_much(percent: int, left_fen: int) -> str:
    if left_fen <= 0:
        return "nothing"
    if percent >= _PLENTY:
        return "plenty"
    return "part" if percent >= _SOME else "little"


def _once_verified(preview: QuotePreview, customer: Organisation | None) -> AssessmentRows | None:
    if customer is None or customer.status == OrganisationStatus.VERIFIED:
        return None
    inputs = as_if_verified(preview.prepared.inputs)
    assessment = inputs.assess()
    if assessment.final_cost_fen == preview.assessment.final_cost_fen:
        return None
    return present(assessment, [version.programme for version in preview.prepared.versions], inputs.schedule)


def range_words(during: TimeRange, zone: str) -> str:
    """From and to in the zone's wall time, as plain text."""
    return display.range_words(display.in_zone(during.starts_at, zone), display.in_zone(during.ends_at, zone))
