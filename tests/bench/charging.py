"""*charge*: agreed sessions of forty firms are charged by the service that the hourly job calls, as many at a time as it does: the price,
every programme, movements on the ledger, frozen inputs and result. Against the bare insertion of the same rows, all at once. *one by one*:
by the service that the second yes calls. *whole job*: with what booking writes beside, and everybody told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from billing.settlement.services.reservation_money import ReservationMoney
from booking.models import Reservation, UsageSession
from booking.rules.review import NOTICE_BEFORE
from booking.services import reservations, transitions, usage_review
from booking.services.reservations import ReservationRequest
from booking.services.usage_review import TOGETHER
from config.kernel.access import NOBODY
from config.kernel.time_range import TimeRange
from instruments.queries import actor_for
from tests.bench.approve import FIRMS, crowd
from tests.bench.harness import NOW, Figure, Took, silent_garbage, took
from tests.bench.over_http import hour_ahead
from tests.bench.stage import Stage

SESSIONS, WARM, ALONE, WHOLE = 500, 100, 50, 100
A_LOT = 100_000
SECONDS, RATIO = 60, 6
#: Instruments from this one on are left alone by the other parts.
FIRST = 30
TABLES = ("billing_charge", "billing_award", "billing_transfer")


def figures(stage: Stage) -> list[Figure]:
    """Server time of a hundred thousand, counted up from some hundred."""
    waiting = _agreed(stage, WARM + SESSIONS + ALONE + WHOLE)
    money, manager = ReservationMoney(), stage.cast.actor("wang")

    def together(some: Sequence[tuple[Reservation, UsageSession]]) -> None:
        for start in range(0, len(some), TOGETHER):
            with transaction.atomic():
                done = money.on_agree_many(some[start : start + TOGETHER], NOBODY, NOW)
            assert all(done)

    def one_by_one(some: Sequence[tuple[Reservation, UsageSession]]) -> None:
        with transaction.atomic():
            for reservation, session in some:
                money.on_agree(reservation, session, manager, NOW)

    together(waiting[:WARM])
    before, rest = {table: _last(table) for table in TABLES}, waiting[WARM:]
    with silent_garbage():
        ours = took(lambda: together(rest[:SESSIONS]))
    bare = _bare(before)
    rest = rest[SESSIONS:]
    one_by_one(rest[:10])
    with silent_garbage():
        alone = took(lambda: one_by_one(rest[10:ALONE]))
        job = took(lambda: _by_time(rest[ALONE:]))
    for_all = ours.server / SESSIONS * A_LOT
    return [
        Figure(
            f"charge, {A_LOT:,} agreed sessions, from {SESSIONS}", for_all, "s", f"<= {SECONDS} and <= {RATIO}x",
            for_all <= SECONDS and ours.server <= RATIO * bare.server, bare.server / SESSIONS * A_LOT, "the same rows by COPY",
            ours.clock / SESSIONS * A_LOT,
        ),
        Figure("charge, one by one, each", alone.server / (ALONE - 10) * 1000, "ms", "", True),
        Figure("charge, the whole hourly job, each", job.server / WHOLE * 1000, "ms", "", True),
    ]  # fmt: skip


def _by_time(waiting: Sequence[tuple[Reservation, UsageSession]]) -> None:
    """The job agrees to them; it finds them over, told of and due."""
    ids = [reservation.pk for reservation, _ in waiting]
    Reservation.objects.filter(pk__in=ids).update(state="completed")
    unsaid: dict[str, Any] = {"agreed_at": None, "agreed_how": "", "lab_agreed_at": None, "customer_agreed_at": None}
    UsageSession.objects.filter(reservation__in=ids).update(review_until=NOW, reminded_at=NOW - NOTICE_BEFORE, **unsaid)
    assert usage_review.agree_due(NOW) == len(ids)


def _agreed(stage: Stage, count: int) -> list[tuple[Reservation, UsageSession]]:
    """Approved reservations whose sessions both sides agreed to, not charged yet."""
    people, manager = crowd(stage, FIRMS, "charge"), stage.cast.actor("wang")
    found = []
    for number in range(count):
        person, firm = people[number % FIRMS]
        during = TimeRange(*hour_ahead(number // 5))
        asked = ReservationRequest(stage.instruments[FIRST + number % 5].pk, firm.pk, during, "self_operated", "bench")
        pk = reservations.reserve(actor_for(person), asked, NOW, idempotency_key=f"charge {number}").reservation_id
        transitions.approve(manager, pk, NOW)
        found.append(pk)
    rows = Reservation.objects.select_related("instrument__site", "instrument__organisation", "organisation").in_bulk(found)
    return [(rows[pk], _session(rows[pk])) for pk in found]


def _session(reservation: Reservation) -> UsageSession:
    start, end = reservation.starts_at, reservation.ends_at
    return UsageSession.objects.create(
        reservation=reservation, booked_starts_at=start, booked_ends_at=end, actual_starts_at=start, actual_ends_at=end,
        billable_starts_at=start, billable_ends_at=end, billable_minutes=60, billable_rule="booked", outcome="normal",
        started_by_means="lab", ended_by_means="lab", customer_agreed_at=end, lab_agreed_at=end, agreed_at=end, agreed_how="both_sides",
    )  # fmt: skip


def _last(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        return int(cursor.fetchone()[0])


def _bare(before: dict[str, int]) -> Took:
    """The rows behind these ids once more, into tables of the same columns, checks and indexes."""
    with connection.cursor() as cursor:
        written = {}
        for table, last in before.items():
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
            with cursor.copy(f"COPY (SELECT * FROM {table} WHERE id > {last}) TO STDOUT") as out:
                written[table] = b"".join(bytes(each) for each in out)

        def insert() -> None:
            for table, rows in written.items():
                with cursor.copy(f"COPY bench_{table} FROM STDIN") as into:
                    into.write(rows)

        return took(insert)
