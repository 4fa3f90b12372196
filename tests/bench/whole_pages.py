"""Whole pages over HTTP in a synthetic country, as a visitor gets them: everything from the request to the last byte of the HTML, and how
many statements such a page takes, which is not to grow with the country.

One client asks one server process, one page after the other. *Server time* is what that process and its database process were on a
processor meanwhile; the clock waits for everybody else on the machine too.
"""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from instruments.rules.search_state import canonical_query
from tests import databases
from tests.bench import nation, search
from tests.bench.harness import Figure, Took, on_cpu, percentile
from tests.concurrency.harness import Server, serving
from tests.databases import CommittedDatabase

VISITS = 40
#: A page takes at most so many statements, however large the country is; the most are for times with test items beside them.
MOST_STATEMENTS = 24
#: Longer than this no page may take, on however busy a machine.
MOST_S = 120


def find_pages(today: date) -> list[str]:
    """*Find a time*: technique, province and three hours, as ``nation`` asks."""
    asked = islice(nation.asked(random.Random(11), today), VISITS)
    return [
        f"/find-a-time/?{urlencode({'hours': 3, 'technique': one.technique, 'region_code': one.region_code})}" for one in asked
    ]


def search_pages() -> list[str]:
    """What ``search`` asks for, with its facets and the next time of each card."""
    return [f"/search/?{canonical_query(one)}" for one in search.asked_for().values()]


def figures(name: str, instruments: int, pages: dict[str, Sequence[str]]) -> list[Figure]:
    """For each kind of page of the country in the database ``name`` the 95th percentile over its addresses, each asked for once before."""
    with _without_helpers(name), serving(CommittedDatabase(name, databases.own_host()), workers=1) as server:
        took = [
            _figure(f"{kind}, whole page over HTTP, {instruments:,} instruments, p95", server, each)
            for kind, each in pages.items()
        ]
    return took + [_statements(f"{kind}, whole page, {instruments:,} instruments", each) for kind, each in pages.items()]


def _figure(name: str, server: Server, addresses: Sequence[str]) -> Figure:
    for address in addresses:
        _visit(server, address)
    runs = [_took(server, address) for address in addresses]
    spent = percentile([run.server for run in runs], 0.95) * 1000
    return Figure(name, spent, "ms", "", True, clock=percentile([run.clock for run in runs], 0.95) * 1000)


def _statements(name: str, addresses: Sequence[str]) -> Figure:
    """The most that one of the pages takes, of those that are asked for in this process."""
    most, client = 0, Client(headers={"accept-language": "zh-CN"})
    for address in addresses:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}")
        most = max(most, len(captured))
    return Figure(f"{name}, SQL statements", most, "queries", f"<= {MOST_STATEMENTS}", most <= MOST_STATEMENTS)


def _took(server: Server, address: str) -> Took:
    processes = [*server.workers(), *_backends()]
    busy, began = _busy(processes), time.perf_counter()
    _visit(server, address)
    return Took(_busy(processes) - busy, time.perf_counter() - began)


def _visit(server: Server, address: str) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=MOST_S)
    try:
        client.request("GET", address, headers={"Accept-Language": "zh-CN"})
        answer = client.getresponse()
        body = answer.read()
    finally:
        client.close()
    if answer.status != 200 or not body.rstrip().endswith(b"</html>"):
        raise RuntimeError(f"{address}: {answer.status}")


def _busy(processes: Sequence[int]) -> float:
    return sum(on_cpu(Path(f"/proc/{pid}/schedstat")) for pid in processes)


def _backends() -> list[int]:
    """The database processes of the server's connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return [pid for (pid,) in cursor.fetchall()]


@contextmanager
def _without_helpers(name: str) -> Iterator[None]:
    """New connections to the database have no helpers for their statements, whose time would not be counted."""
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" SET max_parallel_workers_per_gather = 0')
    yield
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" RESET max_parallel_workers_per_gather')
