"""A research group of each firm with a card and a booking that waits for its leader; internal slips; who books for whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing.cards import services as cards
from billing.cards.services import CardFacts
from billing.settlement.slip_models import InternalSlip
from booking.models import LeaderApproval
from booking.services import consents, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.time_range import TimeRange
from instruments.models import Membership, User
from instruments.queries import actor_for
from instruments.services import research_groups
from tests.agreeing import check_out_agreed

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
WAITS_AT = datetime(2026, 11, 27, 6, tzinfo=UTC)
USED_AT = datetime(2026, 10, 22, 1, tzinfo=UTC)


def build(world: Any, now: datetime) -> None:
    """Lin leads a group of Gaoyuan and Zhao spends for it; at Lianhe He leads, and Hu, who is nobody of the matrix, spends."""
    from tests.access.world import OURS_MONEY, THEIRS_MONEY

    cast = world.cast
    _joins(cast, "hu", cast.other_firm, now)
    _joins(cast, "wen", cast.lab, now)
    _joins(cast, "bai", world.other_lab, now)
    groups = (
        ("zhao", cast.firm, "lin", "zhao", cast.xrd, OURS_MONEY),
        ("he", cast.other_firm, "he", "hu", world.other_instrument, THEIRS_MONEY),
    )
    for side in groups:
        for kind, pk in _group(cast, *side, now=now).items():
            world.objects[kind] = (*world.objects.get(kind, ()), pk)
    pairs = ((cast.firm, "zhao", "lin"), (cast.other_firm, "hu", "he"))
    world.objects["consent"] = tuple(
        consents.give(cast.actor(giver), firm.pk, cast.users[taker].pk, YEAR[1], now).pk for firm, giver, taker in pairs
    )
    labs = (("wen", "wang", cast.lab, cast.xrd), ("bai", "bo", world.other_lab, world.other_instrument))
    slips = [_slip(cast, *side) for side in labs]
    world.objects["slip"] = (slips[0], slips[1])


def _joins(cast: Any, name: str, organisation: Any, now: datetime) -> None:
    user = User.objects.create(email=f"{name}@spending.example", full_name=name.title(), password="!", language="en")
    cast.users[name] = user
    Membership.objects.create(user=user, organisation=organisation, role=Role.RESEARCHER, created_at=now)


def _group(
    cast: Any, keeper: str, firm: Any, leader: str, member: str, instrument: Any, mark: str, *, now: datetime
) -> dict[str, Any]:
    boss, spender = cast.users[leader], cast.users[member]
    group = research_groups.create_group(cast.actor(keeper), firm.pk, f"Group {mark}", boss.pk, 0, now)
    research_groups.set_member(cast.actor(leader), group.pk, spender.pk, YEAR[0], None, now)
    paying, other = (
        cards.open_card(cast.actor(keeper), group.pk, CardFacts(f"{place} {mark}", f"Project {mark}", *YEAR, 9_000_00), now)
        for place in ("one", "two")
    )
    during = TimeRange(WAITS_AT, WAITS_AT + timedelta(hours=2))
    request = ReservationRequest(instrument.pk, firm.pk, during, "self_operated", fund_card_id=paying.pk)
    pk = reservations.reserve(cast.actor(member), request, now, idempotency_key=f"card {mark}").reservation_id
    return {
        "research_group": group.pk,
        "research_group_member": (group.pk, spender.pk),
        "card": paying.pk,
        "card:other": other.pk,
        "reservation:carded": pk,
        "leader_approval": LeaderApproval.objects.get(reservation_id=pk).pk,
    }


def _slip(cast: Any, who: str, manager: str, lab: Any, instrument: Any) -> int:
    during, before = TimeRange(USED_AT, USED_AT + timedelta(hours=2)), USED_AT - timedelta(days=3)
    request = ReservationRequest(instrument.pk, lab.pk, during, "self_operated")
    pk = reservations.reserve(cast.actor(who), request, before, idempotency_key=f"own {who}").reservation_id
    chief = actor_for(cast.users[manager])
    transitions.approve(chief, pk, before)
    transitions.check_in(chief, pk, during.starts_at)
    check_out_agreed(chief, pk, during.ends_at)
    return InternalSlip.objects.get(charge__reservation_id=pk).pk
