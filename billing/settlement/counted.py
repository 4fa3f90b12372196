"""What came before in the year of a programme's cap: the services it gave for, counted from the promise on, as its rules ask.

Only programmes whose rules look at ``before`` count anything. Whose year it is says the programme's own yearly cap (the first one that
concerns the applicant): the instrument's, the owner's, the firm's; without one the applicant's total counts, over all years; without
either nothing is counted, and what came before stays unknown.
Its account is locked while money is promised, so that no two services go on from the same place. A service goes on from what stood when
its money was held, and keeps that place: what is charged goes by the facts of the hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from billing.ledger.services import AccountSpec, Source
from billing.settlement.counted_models import Counted
from billing.subsidy import services as subsidy
from billing.subsidy.rules.before import NOTHING, going_on, together
from billing.subsidy.rules.facts import Before, Facts
from billing.subsidy.services import InForce
from config.kernel.statements import planned_once

Counts = dict[str, Before]
"""What came before, by subject. Whoever plays bookings through in turn adds to it in memory."""

_KNOWN = """
SELECT subject, sum(fee_fen)::bigint, sum(minutes)::bigint, sum(samples)::bigint, count(*), sum(subsidised_fen)::bigint
  FROM billing_counted
 WHERE subject = ANY(%(subjects)s) AND ended_at IS NULL
   AND (source_type, source_id) IS DISTINCT FROM (%(type)s, %(id)s::bigint)
 GROUP BY subject
"""


def subject_of(version: InForce, facts: Facts, accounts: Mapping[tuple[int, str], Sequence[AccountSpec]]) -> str:
    """Whose year, or total, counts for a service under a programme: the key of that cap's account; empty where its rules do not ask or
    there is no such cap. ``accounts`` are those of the service's caps, by (programme version id, cap id)."""
    cap = version.programme.counting_cap(facts.applicant.kind)
    return "" if cap is None else accounts[version.version_id, cap.id][0].key


def known(subjects: Iterable[str], but_for: tuple[str, int] | None = None) -> Counts:
    """What came before of each subject; the source ``but_for`` (type, id) itself does not count. One query, none where nobody asks."""
    asked = sorted({subject for subject in subjects if subject})
    if not asked:
        return {}
    own_type, own_id = but_for or (None, None)
    with planned_once() as cursor:
        cursor.execute(_KNOWN, {"subjects": asked, "type": own_type, "id": own_id})
        return {subject: Before(*figures) for subject, *figures in cursor.fetchall()}


def as_known(facts: Facts, subject: str, counts: Counts) -> Facts:
    """The facts with what came before; as they are where the programme does not ask."""
    if not subject:
        return facts
    return going_on(facts, counts.get(subject, NOTHING))


@dataclass(frozen=True, slots=True)
class Counting:
    """A service that an asking programme gives for: what is counted, for whom."""

    version_id: int
    subject: str
    sums: Before


def take(counting: Iterable[Counting], source: Source, now: datetime) -> None:
    """Money was promised to ``source`` for these."""
    Counted.objects.bulk_create(_row(one, source, now) for one in counting)


def _row(one: Counting, source: Source, now: datetime) -> Counted:
    return Counted(
        subject=one.subject,
        programme_version_id=one.version_id,
        source_type=source.type,
        source_id=source.id,
        fee_fen=one.sums.fee or 0,
        subsidised_fen=one.sums.subsidised or 0,
        minutes=one.sums.minutes or 0,
        samples=one.sums.samples or 0,
        counted_at=now,
    )


def take_in_memory(counting: Iterable[Counting], counts: Counts) -> None:
    """What ``take`` would do, for whoever plays bookings through in turn; nothing is stored."""
    for one in counting:
        counts[one.subject] = together(counts.get(one.subject, NOTHING), one.sums)


def give_up(source: Source, version_ids: Iterable[int], now: datetime) -> None:
    """What was promised to a source under these versions is not given; nothing is asked where none of them counts."""
    if any(_looks_before(version_id) for version_id in version_ids):
        Counted.objects.filter(source_type=source.type, source_id=source.id, ended_at=None).update(ended_at=now)


class Settled(NamedTuple):
    """A charged service: the programme versions that were tried, and what was really used, of those that look at what came before and
    gave something."""

    source: Source
    version_ids: Sequence[int]
    used: Mapping[int, Before]


def settle(charged: Iterable[Settled], now: datetime) -> None:
    """What counted since it was promised gives way to what was really used, each for the same subject: three statements for all of one
    kind of source, none where nobody counts."""
    by_type: dict[str, list[Settled]] = defaultdict(list)
    for one in charged:
        if any(_looks_before(version_id) for version_id in one.version_ids):
            by_type[one.source.type].append(one)
    for source_type, ones in by_type.items():
        standing = Counted.objects.filter(
            source_type=source_type, source_id__in=[one.source.id for one in ones], ended_at=None
        ).order_by("pk")
        subjects = {(row.source_id, row.programme_version_id): row.subject for row in standing}
        Counted.objects.filter(pk__in=[row.pk for row in standing]).update(ended_at=now)
        rows = [
            _row(Counting(version_id, subjects[one.source.id, version_id], sums), one.source, now)
            for one in ones
            for version_id, sums in one.used.items()
            if (one.source.id, version_id) in subjects
        ]
        Counted.objects.bulk_create(rows)


def _looks_before(version_id: int) -> bool:
    return subsidy.in_force(version_id).programme.looks_before
