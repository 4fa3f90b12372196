"""One invoice and one project once per exclusive class: what took a programme of a class already, here or (loaded) elsewhere.

Who wrote what: ``SubsidisedItem`` is what was loaded with evidence, ``TakenOnce`` what money was promised for here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from billing.ledger.services import Source
from billing.settlement.once_models import TakenOnce
from billing.subsidy import services as subsidy
from billing.subsidy.rules.facts import Paper
from billing.subsidy.rules.parts.conditions import facts_named
from billing.subsidy.services import InForce
from config.kernel.statements import planned_once

REFERENCE_LENGTH = 200
PROJECT, INVOICE = "project", "invoice"

Taken = dict[tuple[str, str], set[str]]
"""The classes that were taken, by (kind, reference). Whoever plays bookings through in turn adds to it in memory."""

_KNOWN = """
WITH asked (kind, reference) AS (SELECT * FROM unnest(%(kinds)s::text[], %(references)s::text[]))
SELECT i.kind, i.reference, i.exclusive_class FROM billing_subsidiseditem i JOIN asked USING (kind, reference)
UNION
SELECT t.kind, t.reference, t.exclusive_class FROM billing_takenonce t JOIN asked USING (kind, reference)
 WHERE t.ended_at IS NULL AND (t.source_type, t.source_id) IS DISTINCT FROM (%(type)s, %(id)s::bigint)
"""


def reference_of(text: str) -> str:
    """A number or name as it is compared: without differences of width, case or blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())[:REFERENCE_LENGTH]


def class_of(version: InForce) -> str:
    """The class within which a programme is once only: its exclusive class, or itself where it has none."""
    return version.programme.exclusive_class or version.programme.code


def known(papers: Iterable[Paper], but_for: tuple[str, int] | None = None) -> Taken:
    """What the projects and invoices that papers name took already; what was promised for the source ``but_for`` (type, id) does not
    count. One query, none where nothing is named."""
    pairs = sorted({pair for paper in papers for pair in _named(paper)})
    if not pairs:
        return {}
    own_type, own_id = but_for or (None, None)
    found: Taken = {pair: set() for pair in pairs}
    asked = {"kinds": [kind for kind, _ in pairs], "references": [reference for _, reference in pairs]}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {**asked, "type": own_type, "id": own_id})
        for kind, reference, name in cursor.fetchall():
            found[kind, reference].add(name)
    return found


def as_known(paper: Paper, version: InForce, taken: Taken) -> Paper:
    """The paper with what its project and its invoice took of the programme's class before."""
    said = {kind: class_of(version) in taken.get((kind, reference), ()) for kind, reference in _named(paper)}
    if not said:
        return paper
    return replace(
        paper,
        project_subsidised=said.get(PROJECT, paper.project_subsidised),
        invoice_subsidised=said.get(INVOICE, paper.invoice_subsidised),
    )


def lock(paper: Paper, versions: Sequence[InForce]) -> None:
    """Whoever promises money for the same project or invoice under a programme that asks about it waits here, so that the second sees
    what the first took. Part of the caller's transaction, after the locks of accounts."""
    for kind, reference in _named(paper):
        if any(asks(version.version_id, kind) for version in versions):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"once:{kind}:{reference}"])


def lock_invoices(numbers: Iterable[str]) -> None:
    """Whoever claims with one of these invoices waits here for who does so now; as ``lock``, always in the same order."""
    with connection.cursor() as cursor:
        for reference in sorted(map(reference_of, numbers)):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"once:{INVOICE}:{reference}"])


def take(paper: Paper, version: InForce, source: Source, now: datetime) -> None:
    """Money was promised to ``source`` for what the paper names. A programme that knew by the paper that it was taken, and gives all the
    same (less, say), takes it once more; the database keeps out a second that did not know."""
    knew = {PROJECT: paper.project_subsidised, INVOICE: paper.invoice_subsidised}
    TakenOnce.objects.bulk_create(
        TakenOnce(
            exclusive_class=class_of(version),
            kind=kind,
            reference=reference,
            programme_version_id=version.version_id,
            source_type=source.type,
            source_id=source.id,
            asks=asks(version.version_id, kind) and knew[kind] is not True,
            taken_at=now,
        )
        for kind, reference in _named(paper)
    )


def take_in_memory(paper: Paper, version: InForce, taken: Taken) -> None:
    """What ``take`` would do, for whoever plays bookings through in turn; nothing is stored."""
    for pair in _named(paper):
        taken.setdefault(pair, set()).add(class_of(version))


def give_up(source_type: str, source_id: int, now: datetime, but_for: Collection[int] = ()) -> None:
    """What was promised to a source ended without an award, but for the programme versions ``but_for``."""
    open_ones = TakenOnce.objects.filter(source_type=source_type, source_id=source_id, ended_at__isnull=True)
    open_ones.exclude(programme_version_id__in=list(but_for)).update(ended_at=now)


_GIVE_UP = """
UPDATE billing_takenonce t SET ended_at = %(now)s
 WHERE t.source_type = %(type)s AND t.source_id = ANY(%(ids)s::bigint[]) AND t.ended_at IS NULL
   AND NOT EXISTS (SELECT FROM unnest(%(giving)s::bigint[], %(versions)s::bigint[]) AS stays (id, version)
                    WHERE stays.id = t.source_id AND stays.version = t.programme_version_id)
"""


def give_up_of(source_type: str, but_for: Mapping[int, Collection[int]], now: datetime) -> None:
    """``give_up`` for many sources at once: source id -> the programme versions whose promise stays."""
    stays = [(source_id, version_id) for source_id, versions in but_for.items() for version_id in versions]
    asked: dict[str, Any] = {"type": source_type, "ids": list(but_for), "now": now}
    asked |= {"giving": [one for one, _ in stays], "versions": [one for _, one in stays]}
    with planned_once() as cursor:
        cursor.execute(_GIVE_UP, asked)


@lru_cache(maxsize=4096)
def asks(version_id: int, kind: str) -> bool:
    """Whether the rules of a programme version ask if the project, or the invoice, was subsidised already."""
    rules = [value for name, value in subsidy.in_force(version_id).programme.document.items() if name != "examples"]
    return f"service.{kind}_subsidised" in facts_named(rules)


def _named(paper: Paper) -> list[tuple[str, str]]:
    """What a paper names, as it is compared."""
    texts = ((PROJECT, paper.project), (INVOICE, paper.invoice_number))
    return [(kind, reference) for kind, text in texts if text and (reference := reference_of(text))]
