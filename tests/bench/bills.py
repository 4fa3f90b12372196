"""*news*: how long the payment service waits for its answer, at a hundred news a second however slow the answers are (open loop).
*bills*: bills of thirty lines issued, frozen, numbered, and their PDF and XLSX made by two worker processes, against bare WeasyPrint of the
same HTML, all in CPU time.

``JISHI_BENCH_BILLS`` says how many bills (60; each of them rests on thirty sessions that are booked, used and agreed first, which takes far
longer than what is measured).
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from billing.bills import pdf
from billing.bills.models import Bill
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from instruments.models import Organisation, User
from instruments.queries import actor_for
from tests.agreeing import check_out_agreed
from tests.bench.approve import crowd
from tests.bench.bill_worker import bare, work
from tests.bench.harness import NOW, Figure, percentile, silent_garbage
from tests.bench.over_http import serving
from tests.bench.stage import Stage
from tests.stripe_double import ACCOUNT, KEY, SECRETS, signed

PER_SECOND, SECONDS, GOAL_MS, EACH_MS = 100, 10, 50, 10
BILLS, LINES, WORKERS, GOAL = int(os.environ.get("JISHI_BENCH_BILLS", "60")), 30, 2, 1.15
TURN = 250
"""So many documents are made at a time, and then by bare WeasyPrint."""
PAYEE = "12630000000000123E"
#: Instruments from this one on are left alone by the other parts.
FIRST = 40


def figures(stage: Stage) -> list[Figure]:
    return [*_news(), *_bills(stage)]


def _news() -> list[Figure]:
    """The 99th percentile from the moment at which each is due to the last byte of its answer, and what one costs the server and its
    database, which says the same on a busy machine."""
    online = {
        "JISHI_STRIPE_KEY": KEY,
        "JISHI_STRIPE_WEBHOOK_SECRETS": SECRETS[0],
        "JISHI_STRIPE_ACCOUNT": ACCOUNT,
        "JISHI_STRIPE_PAYEE": PAYEE,
    }
    with serving(**online) as site:
        _send_all(site.port, "warm", 1)
        busy = site.busy()
        latencies = _send_all(site.port, "evt", SECONDS)
        each = (site.busy() - busy) / len(latencies) * 1000
    p99 = percentile(latencies, 0.99) * 1000
    return [
        Figure(f"news of the payment service, {PER_SECOND} a second, p99", p99, "ms", f"<= {GOAL_MS}", p99 <= GOAL_MS),
        Figure("news of the payment service, one (CPU)", each, "ms", f"<= {EACH_MS}", each <= EACH_MS),
    ]


def _send_all(port: int, name: str, seconds: int) -> list[float]:
    """Send each at its moment, whatever became of those before it; seconds to each answer. Raises RuntimeError where one is not 200."""
    latencies: list[float] = []
    wrong: list[bytes] = []
    began = time.perf_counter() + 0.2

    def one(number: int) -> None:
        due = began + number / PER_SECOND
        event = {
            "id": f"{name}_{number}", "object": "event", "type": "charge.succeeded", "livemode": False, "created": int(time.time()),
            "data": {"object": {"id": f"ch_{number}", "object": "charge"}},
        }  # fmt: skip
        body, signature = signed(event)
        head = (
            f"POST /payments/events/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\nStripe-Signature: {signature}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        time.sleep(max(0.0, due - time.perf_counter()))
        with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
            link.sendall(head.encode() + body)
            answer = link.recv(65536)
            while link.recv(65536):
                pass
        latencies.append(time.perf_counter() - due)
        if b" 200 " not in answer[:20]:
            wrong.append(answer[:200])

    threads = [threading.Thread(target=one, args=(number,)) for number in range(PER_SECOND * seconds)]
    with silent_garbage():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if wrong:
        raise RuntimeError(f"{len(wrong)} were not answered with 200: {wrong[0]!r}")
    return latencies


def _bills(stage: Stage) -> list[Figure]:
    people = crowd(stage, BILLS, "Billed")
    for place, (user, firm) in enumerate(people):
        _use(stage, user, firm, place)
    used, began = time.process_time(), time.perf_counter()
    ids = [_issue(stage, firm) for _, firm in people]
    issuing_cpu = time.process_time() - used
    issued_s = time.perf_counter() - began
    made = made_by_workers("bill", ids, lambda some: [pdf.render_html(bill.content) for bill in Bill.objects.filter(pk__in=some)])
    whole = issuing_cpu + made.used_s
    rate = BILLS / (issued_s + made.took_s)
    return [
        Figure(
            f"{BILLS:,} bills of {LINES} lines issued and made, {WORKERS} workers (CPU)",
            whole, "s", f"<= {GOAL}x", whole <= GOAL * made.bare_s, made.bare_s, "bare WeasyPrint, same HTML",
        ),
        Figure(f"bills of {LINES} lines issued and made, {WORKERS} workers", rate, "per s", "stated", True),
    ]  # fmt: skip


def _use(stage: Stage, user: User, firm: Organisation, place: int) -> None:
    """Thirty agreed sessions of one firm."""
    manager = stage.cast.actor("wang")
    for number in range(LINES):
        start = NOW + timedelta(days=2, hours=place * LINES + number)
        instrument = stage.instruments[FIRST + place % 20]
        during = TimeRange(start, start + timedelta(hours=1))
        request = ReservationRequest(instrument.pk, firm.pk, during, "self_operated", "bench")
        made = reservations.reserve(actor_for(user), request, NOW, idempotency_key=f"bill {place} {number}").reservation_id
        transitions.approve(manager, made, NOW)
        transitions.check_in(manager, made, during.starts_at)
        check_out_agreed(manager, made, during.ends_at)


def _issue(stage: Stage, firm: Organisation) -> int:
    now = NOW + timedelta(days=365)
    until: date = now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    return int(issuing.issue(stage.cast.actor("li"), BillRequest(stage.cast.lab.pk, firm.pk, until), now).pk)


@dataclass(frozen=True, slots=True)
class Made:
    """CPU seconds of the workers and all that they started, seconds by the clock, CPU seconds of bare WeasyPrint for the same HTML."""

    used_s: float
    took_s: float
    bare_s: float


def made_by_workers(kind: str, ids: list[int], html_of: Callable[[list[int]], list[str]]) -> Made:
    """Make the documents of a kind in two processes, and by turns the same HTML with bare WeasyPrint in two: what two processors that
    share a core cost each other, and a slow quarter of an hour, then counts for both."""
    used = took = bare_s = 0.0
    for first in range(0, len(ids), TURN):
        some = ids[first : first + TURN]
        began = time.perf_counter()
        used += sum(_side_by_side(work, [kind] * WORKERS, _dealt(some)))
        took += time.perf_counter() - began
        bare_s += sum(_side_by_side(bare, _dealt(html_of(some))))
    return Made(used, took, bare_s)


def _dealt(each: list[Any]) -> list[list[Any]]:
    return [each[start::WORKERS] for start in range(WORKERS)]


def _side_by_side(worker: Callable[..., float], *arguments: list[Any]) -> list[float]:
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(worker, *arguments))
