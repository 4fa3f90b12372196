"""What quotations and commission sheets look like over the API. Amounts are fen, quantities texts of decimals, instants UTC."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from billing.ordering import charged
from billing.ordering.models import CommissionCharge, CommissionSheet, Quotation
from billing.ordering.rules.lines import UNITS, LineKind, shown_quantity
from billing.ordering.rules.quotations import QuotationState
from billing.ordering.rules.sheets import Confidentiality, Method, ReportForm, SampleHandling, SheetState
from booking.api.serializers import NamedOut
from booking.rules.enquiries import Side
from config.kernel.api.fields import Day, Id, IdParameter, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer

_TEXT = 20_000  # longer is refused as input; the service says what really fits


class OrderLineIn(StrictSerializer):
    """Without ``unit_price_fen`` the published price for this customer is taken, without ``unit`` its unit."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in LineKind])
    subject = Id(required=False, allow_null=True, help_text="The instrument or the test item; none for other things.")
    description = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    quantity = Text(max_length=20, help_text="A decimal with three places at most, for example 2.5.")
    unit = serializers.ChoiceField(choices=list(UNITS), required=False, allow_blank=True, default="")
    unit_price_fen = WholeNumber(required=False, allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Three hours and a report",
            value={
                "title": "Phase analysis of lithium salts",
                "valid_until": "2026-12-31",
                "tax_note": "Including 6 % VAT",
                "terms": "Results within ten working days of receipt.",
                "lines": [
                    {"kind": "instrument_time", "subject": 12, "quantity": "3"},
                    {"kind": "other", "description": "Report", "quantity": "1", "unit": "piece", "unit_price_fen": 20000},
                ],
            },
            request_only=True,
        )
    ]
)
class QuotationIn(StrictSerializer):
    title = Text(max_length=_TEXT)
    valid_until = Day(help_text="The last day on which it can be accepted.")
    tax_note = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    terms = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    lines = OrderLineIn(many=True)


class SendIn(StrictSerializer):
    note = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="What the thread says beside it.")


class OrderReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="Read by the other side.")


class AcceptQuotationIn(StrictSerializer):
    total_fen = WholeNumber(required=False, allow_null=True, help_text="What was looked at; another total is refused (409).")


class OrderLineOut(serializers.Serializer):
    position = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in LineKind])
    subject = serializers.IntegerField(allow_null=True)
    subject_name = serializers.CharField()
    description = serializers.CharField()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    unit_price_fen = serializers.IntegerField()
    published_fen = serializers.IntegerField(allow_null=True, help_text="What the price list said for one unit then.")
    amount_fen = serializers.IntegerField()


class QuotationRow(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    enquiry = serializers.IntegerField()
    lab = NamedOut()
    organisation = NamedOut()
    state = serializers.ChoiceField(choices=[state.value for state in QuotationState])
    title = serializers.CharField()
    total_fen = serializers.IntegerField()
    valid_until = serializers.DateField()
    sent_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    commission = serializers.IntegerField(allow_null=True, help_text="The commission sheet that it became.")
    render_state = serializers.CharField()


class QuotationOut(QuotationRow):
    tax_note = serializers.CharField()
    terms = serializers.CharField()
    reason = serializers.CharField()
    sha256 = serializers.CharField()
    lines = OrderLineOut(many=True)


class AcceptedOut(serializers.Serializer):
    id = serializers.IntegerField(help_text="Of the commission sheet.")
    url = serializers.CharField()


class QuotationParameters(PageParameters):
    enquiry = IdParameter(required=False)
    state = serializers.ChoiceField(choices=[state.value for state in QuotationState], required=False)


class SheetParameters(PageParameters):
    state = serializers.ChoiceField(choices=[state.value for state in SheetState], required=False)


class SheetIn(StrictSerializer):
    terms = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    confidentiality = serializers.ChoiceField(choices=[each.value for each in Confidentiality])
    confidentiality_note = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    report_form = serializers.ChoiceField(choices=[each.value for each in ReportForm])
    report_note = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    sample_handling = serializers.ChoiceField(choices=[each.value for each in SampleHandling])
    sample_note = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    due_on = Day(required=False, allow_null=True, default=None)


def _signed_side() -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=[side.value for side in Side],
        required=False,
        help_text="For which side; without it, the first of one's own that has not signed.",
    )


class SignIn(StrictSerializer):
    sha256 = Text(max_length=64, help_text="Of the content that was read.")
    side = _signed_side()


class ScanIn(StrictSerializer):
    """Multipart: the sealed paper as a PDF or picture."""

    file = serializers.FileField()
    side = _signed_side()


class ReservationLinkIn(StrictSerializer):
    reservation = Id()


class LineChargeIn(StrictSerializer):
    """Exactly one of ``reservation`` and ``sample_job``, of this sheet."""

    line = WholeNumber(help_text="The position of a line of the kind `other`.")
    quantity = Text(max_length=20, help_text="How much of it: a decimal with three places at most, up to what is left.")
    reservation = Id(required=False)
    sample_job = Id(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("reservation" in attrs) == ("sample_job" in attrs):
            raise serializers.ValidationError({"reservation": "Give exactly one of reservation and sample_job."})
        return attrs


class LineChargeOut(serializers.Serializer):
    id = serializers.IntegerField()
    line = serializers.IntegerField(help_text="The position of the line.")
    quantity = serializers.CharField()
    amount_fen = serializers.IntegerField()
    state = serializers.CharField(help_text="agreed; proposed where a card's leader agrees first.")
    reservation = serializers.IntegerField(allow_null=True)
    session_extra = serializers.IntegerField(allow_null=True)
    sample_job = serializers.IntegerField(allow_null=True)
    sample_extra = serializers.IntegerField(allow_null=True)


class SheetLineOut(OrderLineOut):
    charged = serializers.CharField(allow_null=True, help_text="How much of a line of the kind `other` is charged by now.")
    left = serializers.CharField(allow_null=True)


class SignatureOut(serializers.Serializer):
    side = serializers.ChoiceField(choices=[side.value for side in Side])
    method = serializers.ChoiceField(choices=[method.value for method in Method])
    name = serializers.CharField()
    signed_at = serializers.DateTimeField(default_timezone=UTC)
    content_sha256 = serializers.CharField()
    scan_sha256 = serializers.CharField()


class LinkedOut(serializers.Serializer):
    id = serializers.IntegerField()
    reference = serializers.CharField()


class SheetRow(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    quotation = serializers.IntegerField()
    lab = NamedOut()
    organisation = NamedOut()
    state = serializers.ChoiceField(choices=[state.value for state in SheetState])
    title = serializers.CharField()
    total_fen = serializers.IntegerField()
    created_at = serializers.DateTimeField(default_timezone=UTC)
    issued_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    in_force_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    render_state = serializers.CharField()


class SheetOut(SheetRow):
    terms = serializers.CharField()
    confidentiality = serializers.CharField()
    confidentiality_note = serializers.CharField()
    report_form = serializers.CharField()
    report_note = serializers.CharField()
    sample_handling = serializers.CharField()
    sample_note = serializers.CharField()
    due_on = serializers.DateField(allow_null=True)
    reason = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the frozen content, which is what is signed.")
    lines = SheetLineOut(many=True)
    charges = LineChargeOut(many=True, help_text="What was charged of lines of the kind `other`.")
    signatures = SignatureOut(many=True)
    reservations = LinkedOut(many=True)


def _named(organisation: Any) -> dict[str, Any]:
    return {"id": organisation.pk, "name": organisation.name}


def _line_json(line: Any) -> dict[str, Any]:
    names = ("position", "kind", "subject_name", "description", "unit", "unit_price_fen", "published_fen", "amount_fen")
    shown = {name: getattr(line, name) for name in names}
    return shown | {"subject": line.instrument_id or line.resource_id, "quantity": shown_quantity(line.quantity)}


def quotation_row(row: Quotation) -> dict[str, Any]:
    """A quotation in a list."""
    names = ("number", "state", "title", "total_fen", "valid_until", "sent_at", "render_state")
    shown = {name: getattr(row, name) for name in names}
    sheet = getattr(row, "sheet", None)
    parties = {"lab": _named(row.enquiry.lab), "organisation": _named(row.enquiry.organisation)}
    shown |= {"id": row.pk, "enquiry": row.enquiry_id, "commission": sheet.pk if sheet is not None else None, **parties}
    return dict(QuotationRow(shown).data)


def quotation_json(row: Quotation) -> dict[str, Any]:
    """A quotation with its lines."""
    more = {"tax_note": row.tax_note, "terms": row.terms, "reason": row.reason, "sha256": row.content_sha256}
    return quotation_row(row) | more | {"lines": [_line_json(line) for line in row.lines.all()]}


def sheet_row(row: CommissionSheet) -> dict[str, Any]:
    """A commission sheet in a list."""
    names = ("number", "state", "title", "total_fen", "created_at", "issued_at", "in_force_at", "render_state")
    shown = {name: getattr(row, name) for name in names}
    shown |= {"id": row.pk, "quotation": row.quotation_id, "lab": _named(row.lab), "organisation": _named(row.organisation)}
    return dict(SheetRow(shown).data)


_NOT_CHARGED = {"charged": None, "left": None}


def charge_json(row: CommissionCharge) -> dict[str, Any]:
    """What was charged of a line."""
    session, sample = row.session_extra, row.sample_extra
    return {
        "id": row.pk,
        "line": row.line.position,
        "quantity": shown_quantity(row.quantity),
        "amount_fen": row.extra.amount_fen,
        "state": str(row.extra.state),
        "reservation": session.reservation_id if session is not None else None,
        "session_extra": row.session_extra_id,
        "sample_job": sample.job_id if sample is not None else None,
        "sample_extra": row.sample_extra_id,
    }


def sheet_json(row: CommissionSheet) -> dict[str, Any]:
    """A commission sheet with lines, signatures and reservations."""
    names = ("terms", "confidentiality", "confidentiality_note", "report_form", "report_note", "sample_handling", "sample_note",
             "reason")  # fmt: skip
    others = charged.other_lines(row)
    charged_of = {each.line.pk: {"charged": shown_quantity(each.charged), "left": shown_quantity(each.left)} for each in others}
    more = {name: getattr(row, name) for name in names}
    more |= {
        "due_on": row.due_on.isoformat() if row.due_on is not None else None,
        "sha256": row.content_sha256,
        "lines": [_line_json(line) | charged_of.get(line.pk, _NOT_CHARGED) for line in row.quotation.lines.all()],
        "charges": [charge_json(charge) for line in others for charge in line.charges],
        "signatures": [dict(SignatureOut(each).data) for each in row.signatures.all()],
        "reservations": [{"id": each.reservation_id, "reference": each.reservation.reference} for each in row.reservations.all()],
    }
    return sheet_row(row) | more
