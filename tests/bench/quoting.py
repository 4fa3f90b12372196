"""*quote*: what a session would cost, asked over HTTP: price, programmes, facts, balances and every step of the working."""

from __future__ import annotations

from config.kernel.services import tokens
from tests.bench.harness import NOW, Figure, percentile
from tests.bench.over_http import hour_ahead, serving
from tests.bench.stage import Stage

WARM, PER_CLIENT, CLIENTS = 20, 150, 2
P95_MS = 40


def figures(stage: Stage) -> list[Figure]:
    """Two clients, as many as there are processes that answer: none waits for another's answer."""
    token = tokens.issue(stage.cast.actor("lin"), "bench quote", ["read"], NOW)
    with serving() as site:

        def ask(client: int, turn: int) -> int:
            start, end = hour_ahead(turn)
            body = {
                "instrument": stage.instruments[1 + client].pk,
                "organisation": stage.cast.firm.pk,
                "starts_at": start.isoformat(),
                "ends_at": end.isoformat(),
            }
            return site.post("/api/v1/quotes/preview/", token, f"quote {client} {turn}", body)

        site.crowd(WARM, ask, CLIENTS)
        found = site.crowd(PER_CLIENT, ask, CLIENTS)
    if set(found.statuses) != {200}:
        raise RuntimeError(f"quotes were answered with {set(found.statuses)}")
    p95 = percentile(found.latencies, 0.95) * 1000
    return [
        Figure("quote, HTTP, 2 clients, 2 processes, p95", p95, "ms", f"<= {P95_MS}", p95 <= P95_MS),
        Figure("quote, HTTP, CPU of server and database", found.busy / len(found.statuses) * 1000, "ms", "", True),
    ]
