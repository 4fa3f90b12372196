"""Every row of the table of transitions, walked by the service or job that takes it: what it does to money stands in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from billing.ledger.models import Transfer
from billing.models import BookingFee, Charge, FeeRelief, Quote
from billing.pricing import services as pricing
from booking import ports
from booking.models import Reservation, ReservationTransition
from booking.ports import NOTHING_EXPECTED
from booking.rules.deciding import Verdict
from booking.rules.service_facts import ServiceFacts
from booking.rules.states import Action, ReservationState, actions_from
from booking.services import (
    changes,
    decisions,
    extending,
    inbox,
    reservations,
    self_service,
    service_facts,
    transitions,
    usage_review,
)
from booking.services.changes import ChangeRequest
from booking.services.inbox import Wish
from booking.services.reject_reasons import Why
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from tests.booking.usage.conftest import wrong
from tests.conftest import PRICE, Cast
from tests.spending import build_spenders

S = ReservationState
HOUR = timedelta(hours=1)
FEES = {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1"}}
#: (state, action) -> what money does: hold, hold anew, release, charge (what is due is posted), take a fee, drop it; or nothing.
EFFECT: dict[tuple[ReservationState, Action], set[str]] = {
    (S.REQUESTED, Action.APPROVE): {"held"},
    (S.REQUESTED, Action.REJECT): set(),
    (S.REQUESTED, Action.CANCEL): set(),
    (S.REQUESTED, Action.EXPIRE): set(),
    (S.REQUESTED, Action.MOVE): {"quoted"},
    (S.APPROVED, Action.CHECK_IN): set(),
    (S.APPROVED, Action.CANCEL): {"released", "fee"},
    (S.APPROVED, Action.MARK_NO_SHOW): {"released", "fee"},
    (S.APPROVED, Action.MOVE): {"released", "held", "quoted"},
    (S.APPROVED, Action.TAKE_BACK): {"released"},
    (S.IN_USE, Action.EXTEND): {"released", "held", "quoted"},
    (S.IN_USE, Action.CHECK_OUT): set(),
    (S.COMPLETED, Action.AGREE): {"posted", "charged"},
    (S.COMPLETED, Action.ASK_ADJUSTMENT): set(),
    (S.COMPLETED, Action.DISPUTE): set(),
    (S.ADJUSTING, Action.ACCEPT_ADJUSTMENT): {"released", "charged"},  # the customer asked to be charged for nothing
    (S.ADJUSTING, Action.REFUSE_ADJUSTMENT): set(),
    (S.ADJUSTMENT_REFUSED, Action.AGREE): {"posted", "charged"},
    (S.ADJUSTMENT_REFUSED, Action.DISPUTE): set(),
    (S.DISPUTED, Action.DECIDE): {"posted", "charged"},
    (S.REJECTED, Action.TAKE_BACK): set(),
    (S.NO_SHOW, Action.COME_LATE): {"held", "fee dropped"},
    (S.REQUESTED, Action.CORRECT): {"quoted"},
    (S.APPROVED, Action.CORRECT): set(),
    (S.IN_USE, Action.CORRECT): set(),
    (S.COMPLETED, Action.CORRECT): set(),
    (S.ADJUSTING, Action.CORRECT): set(),
    (S.ADJUSTMENT_REFUSED, Action.CORRECT): set(),
    (S.DISPUTED, Action.CORRECT): set(),
}

#: The same of a fund card, where it differs: it is held for from the request on, and a fee is paid from what is held.
ON_CARD = {
    (S.REQUESTED, Action.APPROVE): {"quoted"},
    (S.REQUESTED, Action.REJECT): {"released"},
    (S.REQUESTED, Action.CANCEL): {"released"},
    (S.REQUESTED, Action.EXPIRE): {"released"},
    (S.REQUESTED, Action.MOVE): {"released", "held", "quoted"},
    (S.REQUESTED, Action.CORRECT): set(),  # what is kept for the project keeps it
    (S.APPROVED, Action.CANCEL): {"posted", "fee"},
    (S.APPROVED, Action.MARK_NO_SHOW): {"posted", "fee"},
    (S.APPROVED, Action.TAKE_BACK): {"released", "held"},
    (S.REJECTED, Action.TAKE_BACK): {"held"},
    (S.NO_SHOW, Action.COME_LATE): {"held", "quoted", "refunded", "fee dropped"},
}

#: Of what a list brought along; what is held for it is given back: ``tests/booking/bringing/test_bringing.py`` takes it back.
OF_IMPORTS = {(S.APPROVED, Action.UNDO_IMPORT), (S.COMPLETED, Action.UNDO_IMPORT)}


@dataclass
class Walk:
    """One reservation of the customer's, taken from state to state by those who may."""

    cast: Cast
    pk: int
    customer: str = "lin"

    def __post_init__(self):
        self.lin, self.wang, self.li = (self.cast.actor(name) for name in (self.customer, "wang", "li"))
        self.now = self.cast.now
        one = Reservation.objects.get(pk=self.pk)
        self.starts, self.ends = one.starts_at, one.ends_at

    def approve(self):
        inbox.decide(self.wang, self.pk, Wish(Verdict.APPROVE), self.now)

    def reject(self):
        inbox.decide(self.wang, self.pk, Wish(Verdict.REJECT, Why(words="no")), self.now)

    def cancel(self):
        transitions.cancel(self.lin, self.pk, self.starts - HOUR)

    def expire(self):
        assert transitions.expire_due(self.starts) == 1

    def mark_no_show(self):
        assert transitions.mark_no_shows_due(self.starts + HOUR) == 1

    def move(self):
        later = ChangeRequest(self.pk, TimeRange(self.starts, self.ends - HOUR))
        assert changes.change(self.lin, later, self.now, idempotency_key="move").state == "made"

    def take_back(self):
        decisions.take_back(self.wang, self.pk, self.now)

    def check_in(self):
        transitions.check_in(self.wang, self.pk, self.starts)

    def extend(self):
        extending.extend(self.lin, self.pk, self.ends + HOUR, NOTHING_EXPECTED, self.starts)

    def check_out(self):
        transitions.check_out(self.wang, self.pk, self.ends)

    def agree(self):
        assert usage_review.agree(self.lin, self.pk, self.ends)

    def ask_adjustment(self):
        usage_review.ask_adjustment(self.lin, self.pk, None, "No.", self.ends)

    def accept_adjustment(self):
        usage_review.accept_adjustment(self.wang, self.pk, self.ends)

    def refuse_adjustment(self):
        usage_review.refuse_adjustment(self.wang, self.pk, "Yes.", self.ends)

    def dispute(self):
        usage_review.dispute(self.lin, self.pk, "No!", self.ends)

    def decide(self):
        usage_review.decide(self.li, self.pk, "as_measured", "The log says so.", self.ends)

    def correct(self):
        decided = ports.money().decided_by_facts(Reservation.objects.get(pk=self.pk))
        facts = ServiceFacts("Crystals", "" if decided else "Lithium", "", "4")
        assert service_facts.correct(self.lin, self.pk, facts, self.now)

    def come_late(self):
        self_service.start(self.lin, self.pk, [], self.starts + HOUR)


#: How each state is reached from a fresh request.
WAY: dict[ReservationState, tuple[str, ...]] = {
    S.REQUESTED: (),
    S.APPROVED: ("approve",),
    S.REJECTED: ("reject",),
    S.IN_USE: ("approve", "check_in"),
    S.COMPLETED: ("approve", "check_in", "check_out"),
    S.ADJUSTING: ("approve", "check_in", "check_out", "ask_adjustment"),
    S.ADJUSTMENT_REFUSED: ("approve", "check_in", "check_out", "ask_adjustment", "refuse_adjustment"),
    S.DISPUTED: ("approve", "check_in", "check_out", "dispute"),
    S.NO_SHOW: ("approve", "mark_no_show"),
}


@pytest.fixture
def walk(cast, programmes, slot) -> Walk:
    """A firm's, with subsidy."""
    _fees(cast)
    return _asked(cast, slot, "lin", cast.firm.pk)


@pytest.fixture
def card_walk(cast, slot) -> Walk:
    """Of the lab's own people, who pay with a fund card and get no subsidy."""
    _fees(cast)
    card = build_spenders(cast, budget_fen=10_000_00, threshold_fen=None).card
    return _asked(cast, slot, "ma", cast.lab.pk, fund_card_id=card.pk)


def _fees(cast):
    document = PRICE | {"fees": FEES}
    pricing.publish_price(cast.actor("li"), cast.xrd, document, date(2026, 11, 23), cast.now, date(2026, 11, 23))


def _asked(cast, slot, who, customer_id, **more) -> Walk:
    request = ReservationRequest(cast.xrd.pk, customer_id, slot(9, 12), "assisted", **more)
    return Walk(cast, reservations.reserve(cast.actor(who), request, cast.now, idempotency_key="k").reservation_id, who)


def effect_of(act: Callable[[], None], pk: int) -> set[str]:
    """What the books say of one step."""
    last = Transfer.objects.order_by("pk").last()
    counted = {model: model.objects.count() for model in (Charge, BookingFee, FeeRelief, Quote)}
    act()
    kinds = set(Transfer.objects.filter(pk__gt=last.pk if last else 0, source_id=pk).values_list("kind", flat=True))
    said = {"hold": "held", "void": "released", "expire": "released", "post": "posted", "refund": "refunded"}
    found = {said[kind] for kind in kinds}
    words = {Charge: "charged", BookingFee: "fee", FeeRelief: "fee dropped", Quote: "quoted"}
    return found | {word for model, word in words.items() if model.objects.count() > counted[model]}


def expected(state: ReservationState, action: Action) -> set[str]:
    """An approval, and coming late, which is one, write down the figures that they hold."""
    return EFFECT[state, action] | ({"quoted"} if action in (Action.APPROVE, Action.COME_LATE) else set())


def test_the_effects_are_those_of_the_whole_table():
    assert EFFECT.keys() | OF_IMPORTS == {(state, action) for state in ReservationState for action in actions_from(state)}


@pytest.mark.parametrize(("state", "action"), list(EFFECT), ids=lambda value: str(value))
def test_each_transition_does_to_money_what_is_written(walk, state, action):
    for step in WAY[state]:
        getattr(walk, step)()
    assert Reservation.objects.get(pk=walk.pk).state == state
    assert effect_of(getattr(walk, action.value), walk.pk) == expected(state, action)
    taken = ReservationTransition.objects.filter(reservation_id=walk.pk).latest("pk")
    assert (taken.from_state, taken.action) == (state, action)
    assert wrong() == {}


@pytest.mark.parametrize(("state", "action"), list(EFFECT), ids=lambda value: str(value))
def test_each_transition_does_to_a_fund_card_what_is_written(card_walk, state, action):
    for step in WAY[state]:
        getattr(card_walk, step)()
    assert Reservation.objects.get(pk=card_walk.pk).state == state
    written = ON_CARD.get((state, action), EFFECT[state, action])
    assert effect_of(getattr(card_walk, action.value), card_walk.pk) == written
    assert wrong() == {}


@pytest.mark.parametrize(
    ("state", "action", "method"),
    [
        (S.APPROVED, Action.CANCEL, "on_release"),
        (S.APPROVED, Action.MARK_NO_SHOW, "on_release"),
        (S.REQUESTED, Action.APPROVE, "on_approve"),
        (S.COMPLETED, Action.AGREE, "on_agree"),
        (S.APPROVED, Action.MOVE, "on_move"),
    ],
)
def test_a_transition_that_forgets_its_money_is_noticed(walk, monkeypatch, state, action, method):
    """Negative control: with one call of the port left out, the books do not say what is written above."""
    for step in WAY[state]:
        getattr(walk, step)()
    monkeypatch.setattr(type(ports.money()), method, lambda *_words: None)
    assert effect_of(getattr(walk, action.value), walk.pk) != expected(state, action)
