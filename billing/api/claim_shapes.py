"""What claims, their batches and payment lists look like over the API. Amounts are fen, days local ISO dates, instants UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from billing.claims.answered import answers_of
from billing.claims.models import Claim, ClaimBatch, ClaimLine, PaymentList
from billing.claims.queries import ListStand
from billing.claims.rules.checks import CheckInput, FileTwice, look
from billing.claims.rules.states import ClaimState
from billing.claims.rules.totals import LineKind, Standing, Totals
from billing.claims.services.paying_many import LineResult
from billing.claims.services.reviewing import Result
from billing.subsidy.rules.outcome import SettlementMode
from config.kernel.api.fields import Day, Id, IdParameter, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer
from config.kernel.messages import reason_sentence

_TEXT = 2000  # longer is refused as input; the service says what really fits


class ClaimBatchIn(StrictSerializer):
    programme = Id()
    mode = serializers.ChoiceField(choices=[mode.value for mode in SettlementMode])
    from_on = Day(help_text="First day of service.")
    until_on = Day(help_text="Last day of service, included.")
    opens_on = Day(help_text="First day on which claims are handed in.")
    closes_on = Day(help_text="Last day on which claims are handed in, included.")
    fund_year = WholeNumber()


class ClaimParameters(PageParameters):
    batch = IdParameter(required=False)
    state = serializers.ChoiceField(choices=[state.value for state in ClaimState], required=False)


class PaymentListParameters(PageParameters):
    batch = IdParameter(required=False)
    stands = serializers.ChoiceField(
        choices=[each.value for each in ListStand], required=False, help_text="Where it stands between making and payment."
    )


class ClaimSubmitIn(StrictSerializer):
    expected_fen = WholeNumber(help_text="What was looked at; handed in only if it is still so (409).")


class ClaimReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT, help_text="The other side reads it.")


class ClaimPassIn(StrictSerializer):
    step = WholeNumber(required=False, help_text="Where the chain waited when it was looked at, from 0: another step is refused.")


class ClaimInvoiceIn(StrictSerializer):
    position = WholeNumber()
    invoice_number = Text(max_length=_TEXT, allow_blank=True, help_text="Of the line's VAT invoice, 20 digits; empty: none.")


class ClaimLineIn(StrictSerializer):
    position = WholeNumber()
    standing = serializers.ChoiceField(choices=[each.value for each in Standing if each is not Standing.REPLACED])
    reason = Text(max_length=_TEXT, help_text="The payee reads it.")


class MakeListIn(StrictSerializer):
    expected_fen = WholeNumber(required=False, allow_null=True, default=None, help_text="The total that was looked at.")
    surplus_fen = WholeNumber(
        required=False,
        default=0,
        help_text="What these payees sent too much for claw-backs, to go back with the lists; 0: it does not.",
    )


class PayoutIn(StrictSerializer):
    paid_fen = WholeNumber()
    paid_on = Day()
    reference = Text(max_length=100, required=False, default="", allow_blank=True)
    reason = Text(max_length=_TEXT, required=False, default="", allow_blank=True, help_text="Needed where not all was paid.")


class PayoutsIn(StrictSerializer):
    lines = serializers.ListField(
        child=Id(), min_length=1, max_length=2_000, help_text="Lines of the list that were paid in full."
    )
    paid_on = Day()
    reference = Text(max_length=100, required=False, default="", allow_blank=True)


class PayoutResultOut(serializers.Serializer):
    line = serializers.IntegerField()
    position = serializers.IntegerField()
    done = serializers.BooleanField()
    problems = serializers.ListField(child=serializers.CharField())


class PayoutsOut(serializers.Serializer):
    lines = PayoutResultOut(many=True)


class TreasuryAnswerIn(StrictSerializer):
    file = serializers.FileField(help_text="CSV in UTF-8 or GBK: line or account, amount, day, reference, reason.")


class TreasuryAnswerOut(serializers.Serializer):
    recorded = serializers.IntegerField()
    paid_fen = serializers.IntegerField(help_text="What the file says was paid in all.")
    known = serializers.IntegerField(help_text="Lines that were recorded just so before.")


class ClaimTotalsOut(serializers.Serializer):
    claims = serializers.IntegerField()
    lines = serializers.IntegerField()
    awards_fen = serializers.IntegerField()
    clawback_fen = serializers.IntegerField()
    batch_rule_fen = serializers.IntegerField()
    left_out_fen = serializers.IntegerField()
    total_fen = serializers.IntegerField()


class ClaimBatchOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    programme = serializers.CharField()
    mode = serializers.CharField()
    fund_year = serializers.IntegerField()
    from_on = serializers.DateField()
    until_on = serializers.DateField()
    opens_on = serializers.DateField()
    closes_on = serializers.DateField()
    closed_at = serializers.DateTimeField(allow_null=True)


class ClaimPayerOut(serializers.Serializer):
    payer = serializers.CharField()
    claimed_fen = serializers.IntegerField(help_text="Of all payers together what the batch comes to.")
    listed_fen = serializers.IntegerField(help_text="On payment lists of which nothing is recorded yet.")
    paid_fen = serializers.IntegerField()


class ClaimBatchDetailOut(ClaimBatchOut):
    totals = ClaimTotalsOut()
    payers = ClaimPayerOut(many=True)
    rule_steps = serializers.ListField(child=serializers.DictField(), help_text="Steps of the rules over the whole batch.")


class ClaimLineOut(serializers.Serializer):
    position = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=[each.value for each in LineKind])
    standing = serializers.ChoiceField(choices=[each.value for each in Standing])
    reason = serializers.CharField()
    award = serializers.IntegerField()
    service_on = serializers.DateField()
    amount_fen = serializers.IntegerField()
    credited_fen = serializers.IntegerField()
    invoice_number = serializers.CharField()
    clawback = serializers.CharField(help_text="Number of the notice, where something is taken back.")
    answers = serializers.DictField(
        child=serializers.CharField(), help_text="What whoever booked answered to the programme's questions, by the fact; frozen."
    )


class ClaimFileTwiceOut(serializers.Serializer):
    name = serializers.CharField()
    sha256 = serializers.CharField()
    positions = serializers.ListField(
        child=serializers.IntegerField(), help_text="The lines here that it is of; none: of the claim."
    )
    claims = serializers.ListField(child=serializers.CharField(), help_text="Numbers of the other claims that you may read.")
    unnamed = serializers.IntegerField(help_text="How many other claims there are besides.")


class ClaimCheckOut(serializers.Serializer):
    code = serializers.CharField()
    ok = serializers.BooleanField()
    positions = serializers.ListField(child=serializers.IntegerField())
    missing = serializers.ListField(child=serializers.CharField())
    files = ClaimFileTwiceOut(many=True, help_text="Files that are used twice, and where else.")


class ClaimOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    batch = serializers.IntegerField()
    payee = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[state.value for state in ClaimState])
    step = serializers.IntegerField(help_text="Where the chain of the review waits, from 0.")
    total_fen = serializers.IntegerField()
    paid_fen = serializers.IntegerField()
    expected_on = serializers.DateField(allow_null=True)


class ClaimPaperOut(serializers.Serializer):
    kind = serializers.CharField(help_text="What it shows: contract or report.")
    name = serializers.CharField()
    sha256 = serializers.CharField()
    positions = serializers.ListField(child=serializers.IntegerField(), help_text="The lines that it shows it of.")


class ClaimDetailOut(ClaimOut):
    lines = ClaimLineOut(many=True)
    checks = ClaimCheckOut(many=True)
    papers = ClaimPaperOut(many=True, help_text="What the platform has itself and counts as evidence.")


class ClaimMadeOut(serializers.Serializer):
    id = serializers.IntegerField()


class ClaimGatheredOut(serializers.Serializer):
    claims = serializers.IntegerField()
    lines = serializers.IntegerField()
    waiting = serializers.IntegerField()


class ClaimResultOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    done = serializers.BooleanField()
    problems = serializers.ListField(child=serializers.CharField())


class ClaimReportOut(serializers.Serializer):
    claims = ClaimResultOut(many=True)


class ClaimListsOut(serializers.Serializer):
    ids = serializers.ListField(child=serializers.IntegerField(), help_text="One payment list for each payer.")


class PaymentListRowOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    batch = serializers.IntegerField()
    payer = serializers.CharField(help_text="Whose treasury pays it; empty on lists from before there was one for each.")
    total_fen = serializers.IntegerField()
    line_count = serializers.IntegerField()
    reviewed = serializers.BooleanField()
    approved = serializers.BooleanField()
    cancelled = serializers.BooleanField()
    render_state = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the frozen content.")


class PaymentListOut(PaymentListRowOut):
    lines = serializers.ListField(child=serializers.DictField())
    content = serializers.DictField(help_text="Everything the PDF and the XLSX show, frozen when it was made.")


def batch_json(batch: ClaimBatch) -> dict[str, Any]:
    """A batch with its programme."""
    return {
        "id": batch.pk,
        "number": batch.number,
        "programme": batch.programme.code,
        **{
            name: getattr(batch, name)
            for name in ("mode", "fund_year", "from_on", "until_on", "opens_on", "closes_on", "closed_at")
        },
    }


def totals_json(totals: Totals) -> dict[str, int]:
    """Control totals."""
    return {name: getattr(totals, name) for name in totals.__slots__}


def claim_json(claim: Any) -> dict[str, Any]:
    """A claim from ``claims_visible``."""
    return {
        "id": claim.pk,
        "number": claim.number,
        "batch": claim.batch_id,
        "payee": claim.payee_id,
        **{name: getattr(claim, name) for name in ("state", "step", "total_fen", "paid_fen", "expected_on")},
    }


def detail_json(claim: Claim, lines: Sequence[ClaimLine], looked_at: CheckInput, named: Mapping[int, str]) -> dict[str, Any]:
    """A claim with its lines and what was looked at. ``named``: the numbers of other claims that the reader may open, by id."""
    return {
        **claim_json(claim),
        "lines": [_line_json(line) for line in lines],
        "checks": [
            {
                "code": each.code,
                "ok": each.ok,
                "positions": list(each.positions),
                "missing": list(each.missing),
                "files": [_twice_json(file, named) for file in each.files],
            }
            for each in look(looked_at)
        ],
        "papers": [
            {"kind": each.kind, "name": each.name, "sha256": each.sha256, "positions": list(each.positions)}
            for each in looked_at.papers
        ],
    }


def _twice_json(file: FileTwice, named: Mapping[int, str]) -> dict[str, Any]:
    known = [named[pk] for pk in file.claims if pk in named]
    return {
        "name": file.name,
        "sha256": file.sha256,
        "positions": list(file.positions),
        "claims": known,
        "unnamed": len(file.claims) - len(known),
    }


def _line_json(line: ClaimLine) -> dict[str, Any]:
    names = ("position", "kind", "standing", "reason", "amount_fen", "credited_fen", "invoice_number")
    return {
        **{name: getattr(line, name) for name in names},
        "award": line.award_id,
        "service_on": line.award.service_on,
        "answers": {question.fact: text for question, text in answers_of(line.award)},
        "clawback": line.clawback.number if line.clawback is not None else "",
    }


def report_json(report: Sequence[Result]) -> dict[str, Any]:
    """What became of each claim of an action about many."""
    return {
        "claims": [
            {
                "id": each.claim_id,
                "number": each.number,
                "done": each.done,
                "problems": [reason_sentence(reason) for reason in each.reasons],
            }
            for each in report
        ]
    }


def payouts_json(report: Sequence[LineResult]) -> dict[str, Any]:
    """What became of each line that was recorded with others."""
    return {
        "lines": [
            {
                "line": each.line_id,
                "position": each.position,
                "done": each.done,
                "problems": [reason_sentence(reason) for reason in each.reasons],
            }
            for each in report
        ]
    }


def list_row_json(found: PaymentList) -> dict[str, Any]:
    """A payment list without its lines."""
    return {
        "id": found.pk,
        "number": found.number,
        "batch": found.batch_id,
        "payer": found.payer,
        "total_fen": found.total_fen,
        "line_count": found.line_count,
        "reviewed": found.reviewed_by_id is not None,
        "approved": found.approved_by_id is not None,
        "cancelled": found.cancelled_at is not None,
        "render_state": found.render_state,
        "sha256": found.content_sha256,
    }


def list_json(found: PaymentList) -> dict[str, Any]:
    """A payment list from ``list_for``."""
    return {
        **list_row_json(found),
        "content": found.content,
        "lines": [
            {
                "id": line.pk,
                "position": line.position,
                "claim": line.claim_id,
                "amount_fen": line.amount_fen,
                "paid_fen": line.payout.paid_fen if hasattr(line, "payout") else None,
            }
            for line in found.lines.all()
        ],
    }
