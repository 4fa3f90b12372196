"""Working out the rules over closed batches again from what was frozen with them, without looking at what they came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.claims.models import ClaimBatch, ClaimLine
from billing.claims.rules.totals import LineKind
from billing.claims.services.batch_rules import Applied, decide
from billing.ledger.rules.documents import DocumentError
from billing.subsidy import services as subsidy
from billing.subsidy.rules.batch import Opening
from billing.subsidy.rules.codec import Difference, differences, steps_to_json
from billing.subsidy.rules.engines import OtherEngine
from billing.subsidy.rules.outcome import Award, Balance, SettlementMode
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence

_RESULT = ("steps", "given")


@dataclass(frozen=True, slots=True)
class ReplayedBatch:
    """A batch whose rules were worked out again. ``problem`` says why they could not be; else no difference means identical."""

    number: str
    differences: tuple[Difference, ...]
    problem: str = ""

    @property
    def identical(self) -> bool:
        return not self.differences and not self.problem


def replay_batches(first: datetime | None = None, until: datetime | None = None) -> Iterator[ReplayedBatch]:
    """Every batch closed in [``first``, ``until``) to which rules over the whole batch were applied, in order."""
    rows = ClaimBatch.objects.exclude(rule_steps=[], rules_applied=[]).filter(closed_at__isnull=False).order_by("pk")
    rows = rows.filter(closed_at__gte=first) if first else rows
    rows = rows.filter(closed_at__lt=until) if until else rows
    for row in rows.iterator():
        yield _replayed(row)


def _replayed(batch: ClaimBatch) -> ReplayedBatch:
    if not batch.rules_applied:
        return ReplayedBatch(batch.number, (), "it was closed before the engine of such rules was frozen with them")
    found: list[Difference] = []
    try:
        for place, applied in enumerate(batch.rules_applied):
            computed, cuts = _computed(applied)
            frozen = {name: applied[name] for name in _RESULT}
            found += differences(frozen, computed, f"rules[{place}]")
            kept = ClaimLine.objects.filter(kind=LineKind.BATCH_RULE, claim__batch=batch, award_id__in=cuts)
            for award_id, steps in kept.values_list("award_id", "steps"):
                found += differences(steps, cuts[award_id], f"award {award_id}")
    except Refusal as refusal:
        return ReplayedBatch(batch.number, (), "; ".join(map(reason_sentence, refusal.reasons)))
    except (OtherEngine, DocumentError) as error:
        return ReplayedBatch(batch.number, (), str(error))
    return ReplayedBatch(batch.number, tuple(found))


def _computed(applied: Applied) -> tuple[Mapping[str, Any], Mapping[int, Any]]:
    """What the engine of then makes of the inputs of then, and by award the steps of its line. Raises OtherEngine, Refusal."""
    programme = subsidy.in_force(applied["programme_version"]).programme
    if programme.sha256 != applied["sha256"]:
        raise Refusal.of("replay.version_changed")
    by_pk = ClaimLine.objects.select_related("award__charge", "award__programme_version").in_bulk(applied["lines"])
    lines = [by_pk[pk] for pk in applied["lines"]]
    caps = {name: Balance(each["limit_fen"], each["used_fen"] or 0) for name, each in applied["opening"].items()}
    decided = decide(applied["engine"], programme, lines, Opening(caps, {}), applied.get("homes", {}))
    outcomes = [decided.outcomes[str(line.pk)] for line in lines]
    mode = SettlementMode(applied["mode"])
    given = [each.given_fen(mode) if isinstance(each, Award) else None for each in outcomes]
    cuts = {line.award_id: steps_to_json(each.steps) for line, each in zip(lines, outcomes, strict=True)}
    return {"steps": steps_to_json(decided.steps), "given": given}, cuts
