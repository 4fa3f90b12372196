"""Many agreed sessions charged together: what ``ReservationMoney.on_agree`` writes for each, in a constant number of statements.

Everything is read first and worked out before anything is written, so that one that cannot be charged leaves the others alone. What is
charged does not depend on the others: every session goes by the balances that were frozen when its own money was held. Part of the
caller's transaction, which has the reservations locked.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DatabaseError

from billing.cards.accounts import RESERVATION
from billing.ledger import services as ledger
from billing.ledger.services import Held, Source
from billing.prepaid.accounts import KINDS
from billing.prepaid.services import holding as own_money
from billing.settlement import counted, once
from billing.settlement.counted import Settled
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Award, Charge
from billing.settlement.services import awarding, card_money, fees, slips, usage_charge
from billing.settlement.services.awarding import Posting
from billing.settlement.services.gathering import Gathered, gather_all
from billing.settlement.services.usage_charge import Used
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.facts import GroupsRead
from booking.models import CloseOut, Reservation, UsageSession
from config.kernel.access import Actor
from config.kernel.copying import copy_rows, next_ids
from config.kernel.errors import Refusal
from config.kernel.statements import planned_once

Agreed = Sequence[tuple[Reservation, UsageSession]]
logger = logging.getLogger(__name__)


class _Held(NamedTuple):
    """The quote that was held for a reservation, with what a charge asks of it: its inputs, and what each programme gave."""

    inputs: dict[str, Any]
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read about all of them, by reservation: the quote that was held, a confirmed grade, what is held;
    the facts that were read of the ones before."""

    quotes: dict[int, _Held]
    grades: dict[int, str]
    holds: dict[int, list[Held]]
    gathered: Gathered
    facts: GroupsRead


@dataclass(frozen=True, slots=True)
class _Worked:
    """One that can be charged: the row of its charge and what is posted with it; nothing is written yet.
    ``counts``: what was used, for programmes that look at what came before."""

    used: Used
    charge: dict[str, Any]
    assessment: Assessment
    posting: Posting
    counts: Settled


def charge(agreed: Agreed, actor: Actor, now: datetime) -> list[bool]:
    """Which of the agreed sessions (each with its reservation, that with instrument, site, owner and customer) were charged. The others are
    to be charged by themselves: what was used besides was entered, they used time for which somebody else pays a fee, or they cannot be
    charged at all, which is told then.

    Nothing is written for those. What stops the writing (``ledger.*``, ``card.*``, the database) stops all.
    """
    apart = fees.some_to_relieve(agreed) | _with_extras(agreed)
    together = [pair for pair in agreed if pair[0].pk not in apart]
    known = _read(together, now)
    ids = next_ids(Charge, len(together))
    found = [_worked(one, pk, known, actor, now) for one, pk in zip(together, ids, strict=True)]
    ready = {each.used.reservation.pk: each for each in found if each is not None}
    _write(list(ready.values()), known, actor, now)
    return [reservation.pk in ready for reservation, _ in agreed]


def _with_extras(agreed: Agreed) -> set[int]:
    rows = SessionExtra.objects.filter(reservation__in=[reservation.pk for reservation, _ in agreed])
    return set(rows.values_list("reservation_id", flat=True))


_HELD = """
SELECT DISTINCT ON (q.reservation_id) q.reservation_id, q.inputs::text,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('programme', o -> 'programme', 'outcome', o -> 'outcome',
                                                     'total_fen', o -> 'total_fen', 'draws', o -> 'draws') ORDER BY place), '[]')::text
          FROM jsonb_array_elements(q.result -> 'outcomes') WITH ORDINALITY AS each (o, place))
  FROM billing_quote q WHERE q.reservation_id = ANY(%s::bigint[]) AND q.held_at IS NOT NULL
 ORDER BY q.reservation_id, q.revision DESC
"""


def _quotes(ids: Sequence[int]) -> dict[int, _Held]:
    """The quote that was held for each of these reservations. The working, most of what it said, stays where it is."""
    with planned_once() as cursor:
        cursor.execute(_HELD, [list(ids)])
        rows = cursor.fetchall()
    return {pk: _Held(json.loads(inputs), {"outcomes": json.loads(said)}) for pk, inputs, said in rows}


def _read(agreed: Agreed, now: datetime) -> _Known:
    """Five queries, one more where firms have declared something and one where a card pays; the accounts of all holds and cards are locked
    in one id order."""
    ids = [reservation.pk for reservation, _ in agreed]
    graded = CloseOut.objects.filter(reservation__in=ids, confirmed_at__isnull=False).values_list("reservation_id", "grade")
    parties = {party for reservation, _ in agreed for party in usage_charge.parties_of(reservation)}
    return _Known(
        quotes=_quotes(ids),
        grades=dict(graded),
        holds=card_money.lock_with_holds([reservation for reservation, _ in agreed], now),
        gathered=gather_all(parties),
        facts=GroupsRead(),
    )


def _worked(one: tuple[Reservation, UsageSession], pk: int, known: _Known, actor: Actor, now: datetime) -> _Worked | None:
    """None where it cannot be charged: it is tried by itself, and what stands in the way is told there."""
    reservation, session = one
    held = known.quotes.pop(reservation.pk, None)
    if held is None:
        return None
    if usage_charge.counts_otherwise(held, now):
        return None
    used = Used(reservation, session, known.grades.get(reservation.pk, ""))
    try:
        frozen, assessment, inputs = usage_charge.worked_out(held, used, now, known.gathered, known.facts)
        versions = usage_charge.versions_of(frozen)
        row = {"id": pk, **usage_charge.row_as_text(reservation, frozen, assessment, now)}
        posting = awarding.posting_of(
            pk,
            versions,
            assessment.outcomes,
            usage_charge.parties_of(reservation),
            _source(reservation, actor),
            assessment.priced.local_on,
            known.holds.get(reservation.pk, []),
            now,
        )
    except DatabaseError:
        raise
    except Refusal as refusal:
        logger.info("use of reservation %s is not charged with others: %s", reservation.pk, refusal)
        return None
    except Exception:  # whatever it is, it is this one's: the others go on
        logger.exception("use of reservation %s cannot be worked out with others", reservation.pk)
        return None
    counts = awarding.settled_of(_source(reservation, actor), versions, inputs, assessment.outcomes)
    return _Worked(used, row, assessment, posting, counts)


def _write(ready: Sequence[_Worked], known: _Known, actor: Actor, now: datetime) -> None:
    copy_rows(Charge, (each.charge for each in ready))
    ledger.write_ends([end for each in ready for end in each.posting.ends], now)
    awards = [award for each in ready for award in each.posting.awards]
    copy_rows(Award, ({"id": pk, **award} for pk, award in zip(next_ids(Award, len(awards)), awards, strict=True)))
    giving = {each.used.reservation.pk: each.posting.giving for each in ready if each.used.reservation.research_project}
    if giving:
        once.give_up_of(RESERVATION, giving, now)
    counted.settle((each.counts for each in ready), now)
    for each in ready:
        _own_money(each, known.holds.get(each.used.reservation.pk, []), actor, now)


def _own_money(each: _Worked, holds: Sequence[Held], actor: Actor, now: datetime) -> None:
    """What the customer pays by a card, prepaid money or a limit, and the slip of the owner's own people: each by itself, and none of it
    for most."""
    reservation, charge_id, due_fen = each.used.reservation, each.charge["id"], each.assessment.payable_now_fen
    covered = card_money.spend(reservation, due_fen, "agree", actor, now)
    if any(one.debit.kind in KINDS for one in holds):
        own_money.settle(reservation, charge_id, due_fen, _source(reservation, actor), now)
    slips.issue(reservation, each.used.session, charge_id, each.assessment, covered, now)


def _source(reservation: Reservation, actor: Actor) -> Source:
    return Source(RESERVATION, reservation.pk, "agree", None, actor.user_id)
