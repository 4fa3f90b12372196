"""*approve*: requests of forty firms with their quotes, approved one by one over HTTP: each holds subsidy on its accounts and is told."""

from __future__ import annotations

from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.services import tokens
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Membership, Organisation, User
from instruments.queries import actor_for
from tests.bench.harness import NOW, Figure
from tests.bench.over_http import CLIENTS, hour_ahead, serving
from tests.bench.stage import Stage

WARM, PER_CLIENT = 10, 75
GOAL = 150
FIRMS = 40
#: Instruments from this one on are left alone by the other parts.
FIRST = 20


def figures(stage: Stage) -> list[Figure]:
    """Approvals per second of eight clients and two processes, and how long one takes."""
    waiting = _requests(stage, WARM + PER_CLIENT)
    token = tokens.issue(stage.cast.actor("wang"), "bench approve", ["manage"], NOW)
    with serving() as site:

        def approve(client: int, turn: int) -> int:
            pk = waiting[client][turn]
            return site.post(f"/api/v1/reservations/{pk}/approve/", token, f"approve {pk}", {})

        site.crowd(WARM, approve)
        found = site.crowd(PER_CLIENT, lambda client, turn: approve(client, WARM + turn))
    return found.figures("approve", 200, GOAL, None)


def _requests(stage: Stage, per_client: int) -> list[list[int]]:
    """Ids of requests that wait, by client, of firms that have used an instrument before: their accounts are open, and what is granted
    once is granted."""
    people = crowd_of(stage, FIRMS, "Bench")
    manager = stage.cast.actor("wang")
    for place, (user, firm) in enumerate(people):
        first = _ask(user, firm, stage.instruments[FIRST], place, "before")
        transitions.approve(manager, first, NOW)
    made = []
    for client in range(CLIENTS):
        instrument = stage.instruments[FIRST + 1 + client]
        made.append([_ask(*people[(client + turn) % FIRMS], instrument, turn, "to approve") for turn in range(per_client)])
    return made


def _ask(user: User, firm: Organisation, instrument: Instrument, hour: int, key: str) -> int:
    request = ReservationRequest(instrument.pk, firm.pk, TimeRange(*hour_ahead(hour)), "self_operated", "bench")
    asked = reservations.reserve(actor_for(user), request, NOW, idempotency_key=f"{key} {instrument.pk} {hour}")
    return asked.reservation_id


def crowd_of(stage: Stage, count: int, name: str) -> list[tuple[User, Organisation]]:
    """Small firms that are verified, each with a researcher; ``name``: what their names begin with."""
    firms = Organisation.objects.bulk_create(
        Organisation(
            kind="firm", name=f"{name} {place}", name_key=f"{name.lower()} {place}", status="verified",
            verified_at=NOW, region_code="630104",
            staff_count=12, annual_revenue_fen=1_000_000_00, created_at=NOW,
        )
        for place in range(count)
    )  # fmt: skip
    people = User.objects.bulk_create(
        User(email=f"{name.lower()}{place}@example.org", full_name=f"{name} {place}", password="!", language="en")
        for place in range(count)
    )
    Membership.objects.bulk_create(
        Membership(user=user, organisation=firm, role=Role.RESEARCHER, created_at=NOW)
        for user, firm in zip(people, firms, strict=True)
    )
    return list(zip(people, firms, strict=True))
