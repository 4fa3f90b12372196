"""What a reservation costs, for lists and pages: the quote as shown, as held, as waiting, and the charge once usage is agreed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from django.db.models import Case, F, Model, QuerySet, When

from billing.cards.accounts import CARD
from billing.ledger.models import Transfer, TransferKind
from billing.prepaid.accounts import KINDS
from billing.settlement.models import Charge, Quote
from billing.settlement.services.basis_day import Otherwise, counted_otherwise
from billing.settlement.services.reservation_money import RESERVATION
from billing.settlement.services.still_eligible import Lost, lost_since
from billing.vouchers.rules.backing import VOUCHER
from booking.models import Reservation
from config.kernel.access import Actor, visible_to
from config.kernel.errors import NotFound

Row = TypeVar("Row", bound=Model)
_DOCUMENTS = ("inputs", "result")
#: The quote that was accepted last, and one that waits to be accepted.
Waiting = tuple[Quote | None, Quote | None]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one reservation in fen. ``charged``: of the charge, otherwise of the quote in force."""

    gross_fen: int
    payable_now_fen: int
    final_cost_fen: int
    estimate: bool
    charged: bool
    waits_for_customer: bool


@dataclass(frozen=True, slots=True)
class Money:
    """Everything about the money of one reservation. ``waiting`` is a quote that the customer has not accepted yet."""

    quote: Quote | None
    waiting: Quote | None
    charge: Charge | None
    held_fen: int
    lost: tuple[Lost, ...] = ()
    """Programmes that were promised and not paid, because the customer was no longer eligible."""
    otherwise: tuple[Otherwise, ...] = ()
    """Programmes that counted on another day than was expected."""


def figures_of(actor: Actor, reservations: Iterable[Reservation]) -> dict[int, Figures]:
    """The figures of reservations that the actor may see, by id, in two queries however many there are."""
    ids = [reservation.pk for reservation in reservations]
    found = quoted_of(actor, ids)
    for charge in _light(visible_to(Charge.objects.filter(reservation_id__in=ids), actor)):
        found[_of(charge)] = _figures(charge, charged=True)
    return found


def quoted_of(actor: Actor, ids: Iterable[int]) -> dict[int, Figures]:
    """The quoted figures of reservations that nobody was charged for yet, by id, in one query."""
    return _quoted(_light(_quotes(actor, ids)))


def quoted_and_opened(actor: Actor, ids: Iterable[int], opened_id: int | None) -> tuple[dict[int, Figures], Waiting]:
    """``quoted_of`` and, of the one that is shown in full, ``quotes_of``: in one query, which reads the documents of that one alone."""
    opened = {f"{name}_of_opened": Case(When(reservation_id=opened_id, then=F(name))) for name in _DOCUMENTS}
    quotes = list(_light(_quotes(actor, ids)).annotate(**opened))
    of_opened = [quote for quote in quotes if quote.reservation_id == opened_id]
    for quote in of_opened:
        for name in _DOCUMENTS:
            setattr(quote, name, getattr(quote, f"{name}_of_opened"))
    return _quoted(quotes), _accepted_and_waiting(of_opened)


def _quotes(actor: Actor, ids: Iterable[int]) -> QuerySet[Quote]:
    return visible_to(Quote.objects.filter(reservation_id__in=list(ids)), actor).order_by("revision")


def _quoted(quotes: Iterable[Quote]) -> dict[int, Figures]:
    found: dict[int, Figures] = {}
    for quote in quotes:
        if quote.accepted_at is not None:
            found[_of(quote)] = _figures(quote)
        elif _of(quote) not in found:  # its lab entered it, and the customer has not said yes
            found[_of(quote)] = replace(_figures(quote), waits_for_customer=True)
        else:
            before = found[_of(quote)]
            found[_of(quote)] = Figures(
                before.gross_fen,
                before.payable_now_fen,
                before.final_cost_fen,
                before.estimate,
                charged=False,
                waits_for_customer=True,
            )
    return found


def _of(row: Quote | Charge) -> int:
    """The reservation that a row found by its reservation is of."""
    assert row.reservation_id is not None
    return row.reservation_id


def _light(rows: QuerySet[Row]) -> QuerySet[Row]:
    return rows.defer(*_DOCUMENTS)


def _figures(row: Quote | Charge, *, charged: bool = False) -> Figures:
    return Figures(
        row.gross_fen, row.payable_now_fen, row.final_cost_fen, row.estimate, charged=charged, waits_for_customer=False
    )


def quotes_of(actor: Actor, reservation: Reservation, charge: Charge | None = None) -> Waiting:
    """(the quote that was accepted last, one that waits to be accepted) of one reservation, in one query. With its ``charge``, what was
    promised before that: a promise by the day of the charge itself was told to nobody."""
    return _accepted_and_waiting(list(_quotes(actor, [reservation.pk])), charge)


def _accepted_and_waiting(quotes: Sequence[Quote], charge: Charge | None = None) -> Waiting:
    told = [quote for quote in quotes if charge is None or quote.created_at < charge.created_at]
    accepted = [quote for quote in told if quote.accepted_at is not None]
    return (accepted[-1] if accepted else None), (quotes[-1] if quotes and quotes[-1].accepted_at is None else None)


def latest_quote_for(actor: Actor, reservation_id: int) -> Quote:
    """The latest figures that a reservation's customer was shown. Raises NotFound."""
    quote = visible_to(Quote.objects.filter(reservation=reservation_id), actor).order_by("-revision").first()
    if quote is None:
        raise NotFound.of("access.not_found", model="quote")
    return quote


def money_of(actor: Actor, reservation: Reservation) -> Money:
    """The money of one reservation that the actor may see."""
    charge = visible_to(Charge.objects.filter(reservation=reservation), actor).first()
    accepted, waiting = quotes_of(actor, reservation, charge)
    return Money(
        accepted, waiting, charge, held_fen(reservation), lost_since(accepted, charge), counted_otherwise(accepted, charge)
    )


def held_fen(reservation: Reservation) -> int:
    """The subsidy that is held for a reservation, in one query."""
    held = Transfer.objects.filter(
        source_type=RESERVATION, source_id=reservation.pk, kind=TransferKind.HOLD, ends__isnull=True, debit__limited=True
    ).exclude(debit__kind__in=[CARD, *KINDS])
    return _largest_per_programme(held)


def _largest_per_programme(holds: QuerySet[Transfer]) -> int:
    """What is held for the customer: one award draws on several limits at once, so the largest draw of each programme counts;
    vouchers behind one limit are one draw."""
    draws: dict[tuple[int | None, str], int] = {}
    for version_id, key, kind, amount in holds.values_list("programme_version_id", "debit__key", "debit__kind", "amount_fen"):
        place = (version_id, kind if kind == VOUCHER else key)
        draws[place] = draws.get(place, 0) + amount
    largest: dict[int | None, int] = {}
    for (programme_id, _), amount in draws.items():
        largest[programme_id] = max(largest.get(programme_id, 0), amount)
    return sum(largest.values())
