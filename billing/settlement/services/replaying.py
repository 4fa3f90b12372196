"""Computing charges again from what was frozen with them, without looking at what they came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.ledger.rules.documents import DocumentError
from billing.settlement.models import Award as AwardRow
from billing.settlement.models import Charge
from billing.settlement.services import assessing, sample_money
from billing.subsidy.rules import sample_codec
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.codec import Difference, Json, assessment_to_json, differences, inputs_sha256
from billing.subsidy.rules.engines import OtherEngine
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence

PIECE = 500
_INPUTS = ("pk", "reservation_id", "sample_job_id", "inputs", "inputs_sha256")


@dataclass(frozen=True, slots=True)
class Replayed:
    """A charge computed again. ``problem`` says why it could not be; else no difference means identical."""

    charge_id: int
    thing: str
    differences: tuple[Difference, ...]
    problem: str = ""

    @property
    def identical(self) -> bool:
        return not self.differences and not self.problem


@dataclass(frozen=True, slots=True)
class _Computed:
    charge_id: int
    thing: str
    result: Json
    awards: Json
    problem: str = ""


def replay_charges(first: datetime | None = None, until: datetime | None = None) -> Iterator[Replayed]:
    """Every charge made in [``first``, ``until``), in order. The stored results of a piece are read after all of it was computed."""
    rows = Charge.objects.order_by("pk")
    rows = rows.filter(created_at__gte=first) if first else rows
    rows = rows.filter(created_at__lt=until) if until else rows
    last = 0
    while True:
        piece = [_computed(row) for row in rows.filter(pk__gt=last).values(*_INPUTS)[:PIECE]]
        if not piece:
            return
        last = piece[-1].charge_id
        yield from _compared(piece)


def _computed(row: Json) -> _Computed:
    thing = f"reservation {row['reservation_id']}" if row["reservation_id"] else f"sample job {row['sample_job_id']}"
    inputs = row["inputs"]
    if inputs_sha256(inputs) != row["inputs_sha256"]:
        return _Computed(row["pk"], thing, {}, {}, "the frozen inputs do not have their fingerprint")
    thaw = sample_money.thaw if sample_codec.is_of_samples(inputs) else assessing.thaw
    try:
        assessment: Assessment = thaw(inputs).assess()
    except Refusal as refusal:
        return _Computed(row["pk"], thing, {}, {}, "; ".join(map(reason_sentence, refusal.reasons)))
    except (OtherEngine, DocumentError) as error:
        return _Computed(row["pk"], thing, {}, {}, str(error))
    return _Computed(row["pk"], thing, assessment_to_json(assessment), _awards_of(assessment))


def _awards_of(assessment: Assessment) -> Json:
    """What each programme pays and who pays it, as the rows of awards say it; nothing is written for nothing."""
    return {
        f"{award.programme} {award.version}": _paid({}, award.total_fen, ((line.payer, line.amount_fen) for line in award.lines))
        for award in assessment.awards
        if award.total_fen
    }


def _paid(before: Json, total_fen: int, lines: Iterable[tuple[str, int]]) -> Json:
    """What a programme pays in all and by payer, ``before`` included: its sides may be settled in several ways, each in a row of its
    own, and one payer may pay on several of them. Who pays nothing is left out."""
    payers = dict(before.get("payers", {}))
    for payer, amount_fen in lines:
        if amount_fen:
            payers[payer] = payers.get(payer, 0) + amount_fen
    return {"total_fen": before.get("total_fen", 0) + total_fen, "payers": payers}


def _compared(piece: Sequence[_Computed]) -> Iterator[Replayed]:
    ids = [each.charge_id for each in piece]
    stored = dict(Charge.objects.filter(pk__in=ids).values_list("pk", "result"))
    awards = _stored_awards(ids)
    for each in piece:
        if each.problem:
            yield Replayed(each.charge_id, each.thing, (), each.problem)
            continue
        found = [
            *differences(awards.get(each.charge_id, {}), each.awards, "awards"),
            *differences(stored[each.charge_id], each.result),
        ]
        yield Replayed(each.charge_id, each.thing, tuple(found))


def _stored_awards(ids: Sequence[int]) -> dict[int, Json]:
    found: dict[int, Json] = {}
    rows = AwardRow.objects.filter(charge_id__in=ids).select_related("programme_version__programme")
    for row in rows:
        name = f"{row.programme_version.programme.code} {row.programme_version.label}"
        programmes = found.setdefault(row.charge_id, {})
        lines = ((line["payer"], line["amount_fen"]) for line in row.payers)
        programmes[name] = _paid(programmes.get(name, {}), row.total_fen, lines)
    return found
