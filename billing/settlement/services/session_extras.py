"""What is used besides the time: the customer chooses it when booking, or the lab enters it and the customer agrees before it is charged;
time alone never does. What both sides signed an order for is agreed by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Sum

from billing.pricing import services as pricing
from billing.pricing.rules.samples import ExtraCharge
from billing.pricing.rules.schedule import Addon, PriceSchedule
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Charge, Quote
from billing.settlement.services import card_money, quote_rows
from booking.models import Reservation
from booking.ports import Addons
from booking.rules.samples import MOST_EXTRA_FEN, MOST_EXTRAS, WORDS_LENGTH, ExtraEvent, ExtraState, next_extra_state
from booking.rules.spending import LEADER_FIRST
from booking.rules.states import IN_REVIEW, ReservationState
from booking.services import acting, notices, spending
from booking.services.sides import Sides, require_lab, sides_of
from booking.services.state_writing import lock_row
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.rules.registry_values import clean_text
from instruments.services.notices import settle

ADDABLE = frozenset({ReservationState.IN_USE, *IN_REVIEW})
AHEAD = frozenset({ReservationState.REQUESTED, ReservationState.APPROVED})
MOST_QUANTITY = 1_000
MOST_CHOSEN = MOST_EXTRAS // 2
"""So many add-ons are chosen when booking at most; the rest is left to the lab."""


class OnOffer(NamedTuple):
    """An add-on of a price as it is offered: its name, fen each, and its English name, empty where it has none."""

    name: str
    rate_fen: int
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class Used:
    """What was used: an ``addon`` of the price (its code), or the lab's own ``words`` at ``rate_fen`` each; and how many."""

    quantity: int
    addon: str = ""
    words: str = ""
    rate_fen: int = 0


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a signed order says is charged besides: in its words, as part of the order ``number``, agreed by ``by_id`` at ``agreed_at``."""

    words: str
    quantity: int
    rate_fen: int
    number: str
    by_id: int
    agreed_at: datetime


@dataclass(frozen=True, slots=True)
class Beside:
    """What one of several times offers besides itself (as ``priced``), what the choice comes to there, and why it cannot be had there."""

    offered: Mapping[str, OnOffer]
    amount_fen: int = 0
    faults: tuple[Reason, ...] = ()

    @classmethod
    def of(cls, schedule: PriceSchedule, customer_class: str, chosen: Sequence[tuple[str, int]]) -> Beside:
        """Under the price of the time."""
        offered = priced(schedule, customer_class)
        amount_fen = sum(offered[code].rate_fen * quantity for code, quantity in chosen if code in offered)
        return cls(offered, amount_fen, tuple(faults_of_choice(offered, chosen)))


NOTHING_BESIDE = Beside({})


def choose(reservation: Reservation, offered: Mapping[str, OnOffer], addons: Addons, actor: Actor, now: datetime) -> int:
    """Write down what the customer chose when booking, of what is ``offered`` (``priced``); returns what it comes to, in fen. It is agreed
    with this. Part of the caller's transaction.

    Raises Refusal with every reason, on ``addons``: ``extras.addon_unknown``, ``extras.chosen_twice``, ``extras.quantity_range``,
    ``extras.rate_range``, ``extras.too_many``; Conflict ``extras.chosen_differ`` where the customer saw another sum.
    """
    if not addons.chosen:
        return 0
    rows = [_chosen(reservation, offered, code, quantity, actor, now) for code, quantity in addons.chosen if code in offered]
    Refusal.raise_any(faults_of_choice(offered, addons.chosen))
    total_fen = sum(row.amount_fen for row in rows)
    if addons.seen_fen is not None and addons.seen_fen != total_fen:
        raise Conflict.of("extras.chosen_differ", "addons", amount_fen=total_fen)
    SessionExtra.objects.bulk_create(rows)
    after = {"addons": [list(each) for each in addons.chosen], "amount_fen": total_fen}
    audit.record(actor, "session_extra.choose", reservation, now, after=after)
    return total_fen


def faults_of_choice(offered: Mapping[str, OnOffer], chosen: Sequence[tuple[str, int]]) -> list[Reason]:
    """Every reason against a choice (code, how many) of what is ``offered``, as ``choose`` raises them."""
    field, codes = "addons", [code for code, _quantity in chosen]
    reasons = []
    if set(codes) - set(offered):
        reasons.append(Reason("extras.addon_unknown", {"known": sorted(offered)}, field))
    if len(set(codes)) < len(codes):
        reasons.append(Reason("extras.chosen_twice", {}, field))
    if any(not 1 <= quantity <= MOST_QUANTITY for _code, quantity in chosen):
        reasons.append(Reason("extras.quantity_range", {"most": MOST_QUANTITY}, field))
    elif any(offered[code].rate_fen * quantity > MOST_EXTRA_FEN for code, quantity in chosen if code in offered):
        reasons.append(Reason("extras.rate_range", {"most_fen": MOST_EXTRA_FEN}, field))
    if len(codes) > MOST_CHOSEN:
        reasons.append(Reason("extras.too_many", {"most": MOST_CHOSEN}, field))
    return reasons


def _chosen(
    reservation: Reservation, offered: Mapping[str, OnOffer], code: str, quantity: int, actor: Actor, now: datetime
) -> SessionExtra:
    words, rate_fen, words_en = offered[code]
    return SessionExtra(
        reservation_id=reservation.pk,
        addon=code,
        words=words,
        words_en=words_en,
        quantity=quantity,
        rate_fen=rate_fen,
        amount_fen=quantity * rate_fen,
        chosen=True,
        state=ExtraState.AGREED,
        proposed_by_id=actor.person_id,
        proposed_at=now,
        answered_by_id=actor.person_id,
        answered_at=now,
    )


@whole
def propose(actor: Actor, reservation_id: int, used: Used, now: datetime) -> SessionExtra:
    """The lab enters what was used; it costs nothing until the customer agrees. Of an add-on that the customer chose when booking it is
    all of it: with the yes it takes the place of what was chosen.

    Raises NotFound, Forbidden, Refusal with every reason: ``extras.no_more_now``, ``extras.addon_unknown`` (``addon``),
    ``extras.words_missing`` (``words``), ``extras.quantity_range`` (``quantity``), ``extras.rate_range`` (``rate``), ``extras.too_many``,
    ``name.*``.
    """
    locked = _locked(actor, reservation_id)
    require_lab(locked, actor)
    reasons = [] if is_open(locked) else [Reason("extras.no_more_now", {}, "")]
    words, rate_fen, words_en = clean_text(used.words, WORDS_LENGTH, "words"), used.rate_fen, ""
    if used.addon:
        found = addons_of(locked).get(used.addon)
        if found is None:
            reasons.append(Reason("extras.addon_unknown", {"known": sorted(addons_of(locked))}, "addon"))
        else:
            words, rate_fen, words_en = found
    elif not words:
        reasons.append(Reason("extras.words_missing", {}, "words"))
    if not 1 <= used.quantity <= MOST_QUANTITY:
        reasons.append(Reason("extras.quantity_range", {"most": MOST_QUANTITY}, "quantity"))
    elif not reasons and not 1 <= used.quantity * rate_fen <= MOST_EXTRA_FEN:
        reasons.append(Reason("extras.rate_range", {"most_fen": MOST_EXTRA_FEN}, "rate"))
    if SessionExtra.objects.filter(reservation=locked).count() >= MOST_EXTRAS:
        reasons.append(Reason("extras.too_many", {"most": MOST_EXTRAS}, ""))
    Refusal.raise_any(reasons)
    made = SessionExtra.objects.create(
        reservation=locked,
        addon=used.addon,
        words=words,
        words_en=words_en,
        quantity=used.quantity,
        rate_fen=rate_fen,
        amount_fen=used.quantity * rate_fen,
        proposed_by_id=actor.person_id,
        proposed_at=now,
    )
    audit.record(actor, "session_extra.propose", made, now, after={"words": words, "amount_fen": made.amount_fen})
    notices.defer(locked, "extra_proposed", now, **_words(made), amount_fen=made.amount_fen)
    return made


def enter_ordered(actor: Actor, reservation_id: int, ordered: Ordered, now: datetime) -> SessionExtra:
    """The lab enters what both sides signed an order for: it is agreed by who signed for the customer. Only where a fund card pays and its
    leader is to agree to so much it waits for that. Part of the caller's transaction.

    Raises NotFound, Forbidden, Refusal ``extras.no_more_now``, ``extras.too_many``, Conflict ``card.not_enough_left``; with a fund card
    also what ``spending.refuse_extra`` raises.
    """
    locked = _locked(actor, reservation_id)
    require_lab(locked, actor)
    reasons = [] if is_open(locked) else [Reason("extras.no_more_now", {}, "")]
    if SessionExtra.objects.filter(reservation=locked).count() >= MOST_EXTRAS:
        reasons.append(Reason("extras.too_many", {"most": MOST_EXTRAS}, ""))
    Refusal.raise_any(reasons)
    amount_fen = ordered.quantity * ordered.rate_fen
    agreed = not _waits_for_leader(locked, amount_fen, actor)
    if agreed:
        card_money.hold(locked, kept_fen(locked) + amount_fen, "extra", actor, now)
    made = SessionExtra.objects.create(
        reservation=locked,
        words=ordered.words,
        quantity=ordered.quantity,
        rate_fen=ordered.rate_fen,
        amount_fen=amount_fen,
        proposed_by_id=actor.person_id,
        proposed_at=now,
        **({"state": ExtraState.AGREED, "answered_by_id": ordered.by_id, "answered_at": ordered.agreed_at} if agreed else {}),
    )
    after = {"words": made.words, "amount_fen": amount_fen, "order": ordered.number, "state": str(made.state)}
    audit.record(actor, "session_extra.enter_ordered", made, now, after=after)
    event = "extra_by_order" if agreed else "extra_proposed"
    notices.defer(locked, event, now, **_words(made), amount_fen=amount_fen, sheet=ordered.number)
    return made


def _waits_for_leader(locked: Reservation, amount_fen: int, actor: Actor) -> bool:
    try:
        spending.refuse_extra(locked, amount_fen, actor)
    except Refusal as refusal:
        if [each.code for each in refusal.reasons] != [LEADER_FIRST]:
            raise
        return True
    return False


@whole
def answer(actor: Actor, extra_id: int, event: ExtraEvent, now: datetime, *, amount_fen: int | None = None) -> SessionExtra:
    """The customer agrees or declines, the lab withdraws; once. ``amount_fen`` is what who agrees was shown. A fund card keeps it too.
    What the customer chose when booking is withdrawn by it until the use begins, and by the lab until it is charged; what a signed order
    says by the lab alone.

    Raises NotFound, Forbidden, Refusal ``extras.no_more_now``, ``extras.second_person``, ``samples.extra_answered``, Conflict
    ``extras.amount_differs``, ``card.not_enough_left``; with a fund card also what ``spending.refuse_extra`` raises.
    """
    seen = get_visible(SessionExtra.objects.all(), actor, pk=extra_id)
    locked = _locked(actor, seen.reservation_id)
    extra = SessionExtra.objects.select_for_update(no_key=True).get(pk=extra_id)
    if extra.state == ExtraState.AGREED and event is ExtraEvent.WITHDRAW and (extra.chosen or _is_ordered(extra)):
        return _withdraw_agreed(locked, extra, actor, now)
    if event is ExtraEvent.WITHDRAW:
        require_lab(locked, actor)
    else:
        require = acting.require_paying if event is ExtraEvent.AGREE else acting.require_objecting
        require(locked, actor, now)
    after = next_extra_state(ExtraState(extra.state), event)
    if not is_open(locked):
        raise Refusal.of("extras.no_more_now")
    if event is ExtraEvent.AGREE:
        _require_consent(extra, actor, amount_fen)
        _give_way(locked, extra, actor, now)
        spending.refuse_extra(locked, extra.amount_fen, actor)
        card_money.hold(locked, kept_fen(locked) + extra.amount_fen, "extra", actor, now)
    extra.state, extra.answered_by_id, extra.answered_at = after.value, actor.person_id, now
    extra.save(update_fields=["state", "answered_by", "answered_at"])
    audit.record(actor, f"session_extra.{event.value}", extra, now, after={"amount_fen": extra.amount_fen})
    _tell_answer(locked, extra, event, now)
    return extra


def _is_ordered(extra: SessionExtra) -> bool:
    """Whether a signed order says it."""
    return SessionExtra.objects.filter(pk=extra.pk, by_order__isnull=False).exists()


def _withdraw_agreed(locked: Reservation, extra: SessionExtra, actor: Actor, now: datetime) -> SessionExtra:
    """Raises Forbidden for who may not, Refusal ``extras.no_more_now``."""
    lab = sides_of(locked, actor).lab
    if not extra.chosen:
        require_lab(locked, actor)
    elif not lab:
        acting.require_objecting(locked, actor, now)
    customer = extra.chosen and (not lab or acting.may_object(locked, actor, now))
    sides = Sides(customer=customer, lab=lab)
    if not may_withdraw_chosen(locked, customer=sides.customer, lab=sides.lab):
        raise Refusal.of("extras.no_more_now")
    _take_back(extra, actor, now)
    card_money.hold(locked, kept_fen(locked), "extra", actor, now)
    told = "extra_withdrawn" if sides.lab and not sides.customer else "extra_declined_to_lab"
    notices.defer(locked, told, now, **_words(extra), amount_fen=extra.amount_fen)
    return extra


def _give_way(locked: Reservation, agreed: SessionExtra, actor: Actor, now: datetime) -> None:
    """What was chosen of an add-on gives way to what is agreed of it now."""
    if agreed.addon:
        for row in SessionExtra.objects.filter(reservation=locked, addon=agreed.addon, chosen=True, state=ExtraState.AGREED):
            _take_back(row, actor, now)


def _take_back(chosen: SessionExtra, actor: Actor, now: datetime) -> None:
    chosen.state, chosen.answered_by_id, chosen.answered_at = ExtraState.WITHDRAWN.value, actor.person_id, now
    chosen.save(update_fields=["state", "answered_by", "answered_at"])
    audit.record(actor, "session_extra.withdraw", chosen, now, after={"amount_fen": chosen.amount_fen})


def leave_behind(locked: Reservation, offered: Mapping[str, OnOffer], actor: Actor, now: datetime) -> None:
    """What was chosen of a price does not follow to one that has no such add-on at that rate (``offered``, ``priced``); the customer hears
    of it. The caller holds anew what is kept."""
    for row in SessionExtra.objects.filter(reservation=locked, chosen=True, state=ExtraState.AGREED):
        if row.addon not in offered or offered[row.addon].rate_fen != row.rate_fen:
            _take_back(row, actor, now)
            notices.defer(locked, "extra_withdrawn", now, **_words(row), amount_fen=row.amount_fen)


def _tell_answer(locked: Reservation, extra: SessionExtra, event: ExtraEvent, now: datetime) -> None:
    """The other side hears of it; once nothing waits any more nobody has to look at what was asked."""
    if not SessionExtra.objects.filter(reservation=locked, state=ExtraState.PROPOSED).exists():
        settle(locked, [notices.EXTRA_PROPOSED], now)
    told = "extra_withdrawn" if event is ExtraEvent.WITHDRAW else f"extra_{extra.state}_to_lab"
    notices.defer(locked, told, now, **_words(extra), amount_fen=extra.amount_fen)


def for_charge(reservation: Reservation, actor: Actor, now: datetime) -> tuple[ExtraCharge, ...]:
    """What is charged with a session, behind the lock of its reservation. What nobody answered stops a person's yes to the use; when time
    agrees, it falls away.

    Raises Refusal ``extras.unanswered``.
    """
    rows = list(SessionExtra.objects.filter(reservation=reservation))
    waiting = [row for row in rows if row.state == ExtraState.PROPOSED]
    if waiting and actor.user_id is not None:
        raise Refusal.of("extras.unanswered", count=len(waiting))
    if waiting:
        ids = [row.pk for row in waiting]
        SessionExtra.objects.filter(pk__in=ids).update(state=ExtraState.WITHDRAWN, answered_at=now)
    return tuple(ExtraCharge(amount_fen=row.amount_fen, **_words(row)) for row in rows if row.state == ExtraState.AGREED)


def of(actor: Actor, reservation: Reservation) -> list[SessionExtra]:
    """Those of a reservation that the actor sees, in the order in which they were entered."""
    rows = visible_to(SessionExtra.objects.filter(reservation=reservation), actor)
    return list(rows.select_related("proposed_by", "answered_by", "by_order__sheet"))


def chosen_of(actor: Actor, reservation: Reservation) -> list[SessionExtra]:
    """What the customer chose of a reservation that the actor sees, also where something else took its place."""
    rows = of(actor, reservation)
    agreed = {row.addon for row in rows if row.state == ExtraState.AGREED}
    return [row for row in rows if row.chosen and row.addon in agreed]


def agreed_fen(reservation: Reservation) -> int:
    """The sum of what the customer agreed to."""
    rows = SessionExtra.objects.filter(reservation=reservation, state=ExtraState.AGREED)
    return int(rows.aggregate(sum=Sum("amount_fen"))["sum"] or 0)


def kept_fen(reservation: Reservation) -> int:
    """What the customer pays for it by now, and what is kept on its fund card and its own accounts: by the quote that was accepted last,
    and the extras that were agreed to."""
    latest = quote_rows.last_agreed(reservation.pk)
    return latest.payable_now_fen + agreed_fen(reservation)


def may_withdraw_chosen(reservation: Reservation, *, customer: bool, lab: bool) -> bool:
    """Whether one of these sides takes back what the customer chose when booking."""
    if reservation.state in AHEAD:
        return customer or lab
    return lab and is_open(reservation)


def is_open(reservation: Reservation) -> bool:
    """Whether something may be entered or answered now."""
    return reservation.state in ADDABLE and not Charge.objects.filter(reservation=reservation).exists()


def addons_of(reservation: Reservation) -> dict[str, OnOffer]:
    """The add-ons of the price under which it was promised: by code, at the rate of the customer's class."""
    held = Quote.objects.filter(reservation=reservation, held_at__isnull=False).order_by("-revision").first()
    if held is None:
        return {}
    return priced(pricing.schedule(held.inputs["schedule"]["price_version"]), held.inputs["customer_class"])


def priced(schedule: PriceSchedule, customer_class: str) -> dict[str, OnOffer]:
    """The add-ons of a price that cost customers of the class something, by code, each with the tax that is added to it."""
    tax = schedule.tax
    return {
        each.code: OnOffer(_name(each), tax.with_tax_fen(fen) if tax is not None else fen, _name_en(each))
        for each in schedule.addons
        if (fen := each.fen.get(customer_class, 0))
    }


def _name(addon: Addon) -> str:
    return addon.name.get("zh") or addon.name.get("en") or addon.code


def _name_en(addon: Addon) -> str:
    """Its English name, where it has one beside the name that is shown otherwise."""
    return addon.name.get("en", "") if addon.name.get("zh") else ""


def _words(row: SessionExtra) -> dict[str, str]:
    """Its words on a charge and in news, in both languages as far as there are words for them."""
    count = "" if row.quantity == 1 else f" × {row.quantity}"
    return {"words": f"{row.words}{count}", "words_en": f"{row.words_en}{count}" if row.words_en else ""}


def _locked(actor: Actor, reservation_id: int) -> Reservation:
    get_visible(Reservation.objects.all(), actor, pk=reservation_id)
    return lock_row(reservation_id)


def _require_consent(extra: SessionExtra, actor: Actor, seen_fen: int | None) -> None:
    if extra.proposed_by_id == actor.user_id:
        raise Refusal.of("extras.second_person")
    if seen_fen is not None and seen_fen != extra.amount_fen:
        raise Conflict.of("extras.amount_differs", amount_fen=extra.amount_fen)
