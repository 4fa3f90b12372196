"""*approve*: requests of many firms, each with its quote, approved one by one over HTTP: each holds subsidy on its accounts and is told."""

from __future__ import annotations

from booking.services import reservations
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.services import tokens
from config.kernel.time_range import TimeRange
from instruments.models import Membership, Organisation, User
from instruments.queries import actor_for
from tests.bench.harness import NOW, Figure, percentile
from tests.bench.over_http import CLIENTS, crowd, hour_ahead, post, serving
from tests.bench.stage import Stage

WARM, PER_CLIENT = 5, 75
GOAL = 150
#: Instruments from this one on are left alone by the other parts.
FIRST = 20


def figures(stage: Stage) -> list[Figure]:
    """Approvals per second of eight clients and two processes, and how long one takes."""
    waiting = _requests(stage, WARM + PER_CLIENT)
    token = tokens.issue(stage.cast.actor("wang"), "bench approve", ["manage"], NOW)
    with serving() as port:

        def approve(client: int, turn: int) -> int:
            pk = waiting[client][turn]
            return post(port, f"/api/v1/reservations/{pk}/approve/", token, f"approve {pk}", {})

        crowd(WARM, approve)
        found = crowd(PER_CLIENT, lambda client, turn: approve(client, WARM + turn))
    done = found.statuses.count(200)
    rate = done / found.seconds
    met = rate >= GOAL and done == CLIENTS * PER_CLIENT
    return [
        Figure("approve, HTTP, 8 clients, 2 processes", rate, "per s", f">= {GOAL}", met),
        Figure("approve, HTTP, p99", percentile(found.latencies, 0.99) * 1000, "ms", "", True),
    ]


def _requests(stage: Stage, per_client: int) -> list[list[int]]:
    """Ids of requests that wait, by client; each is a firm's first, so that what one is granted changes no other's figures."""
    people = _crowd(stage, CLIENTS * per_client)
    made = []
    for client in range(CLIENTS):
        instrument = stage.instruments[FIRST + client]
        ids = []
        for turn in range(per_client):
            user, firm = people.pop()
            request = ReservationRequest(instrument.pk, firm.pk, TimeRange(*hour_ahead(turn)), "self_operated", "bench")
            ids.append(reservations.reserve(actor_for(user), request, NOW, idempotency_key=f"to approve {turn}").reservation_id)
        made.append(ids)
    return made


def _crowd(stage: Stage, count: int) -> list[tuple[User, Organisation]]:
    """Small firms that are verified, each with a researcher."""
    firms = Organisation.objects.bulk_create(
        Organisation(
            kind="firm", name=f"Bench {place}", name_key=f"bench {place}", status="verified", verified_at=NOW, region_code="630104",
            staff_count=12, annual_revenue_fen=1_000_000_00, created_at=NOW,
        )
        for place in range(count)
    )  # fmt: skip
    people = User.objects.bulk_create(
        User(email=f"bench{place}@example.org", full_name=f"Bench {place}", password="!", language="en") for place in range(count)
    )
    Membership.objects.bulk_create(
        Membership(user=user, organisation=firm, role=Role.RESEARCHER, created_at=NOW)
        for user, firm in zip(people, firms, strict=True)
    )
    return list(zip(people, firms, strict=True))
