"""What use, its review, devices and close-out look like over the API. Instants carry the offset of the instrument's site."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from booking.api.serializers import ExpectedIn, NamedOut
from booking.models import GRADES, Decision, Means, RunState
from booking.rules.device_runs import EventKind, ProblemKind
from booking.rules.outcome import Outcome
from booking.rules.states import ReservationState
from config.kernel.api.fields import Day, Id, IdParameter, Instant, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer
from instruments.models import ServiceMode

_STATES = [str(state) for state in ReservationState]


class CodeIn(StrictSerializer):
    code = Text(max_length=64, help_text="The end of the address in the QR code at the instrument: /here/at/<code>/.")


class ProofOut(serializers.Serializer):
    proof = serializers.CharField(help_text="Send it with the start. It is for this person and instrument alone.")
    instrument = serializers.IntegerField()
    good_until = serializers.DateTimeField()


class StartIn(StrictSerializer):
    proof = Text(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text="What POST /api/v1/check-in-proofs/ answered to the code at the instrument. Needed but for remote operation, where "
        "nobody stands there. The lab's staff use check-in, which needs none.",
    )
    ticks = serializers.ListField(
        child=Text(max_length=200),
        max_length=50,
        required=False,
        default=list,
        help_text="The safety points that were confirmed.",
    )


class EndIn(StrictSerializer):
    agrees = serializers.BooleanField(required=False, default=False, help_text="The customer says yes to the times at once.")


class ExtendIn(StrictSerializer):
    ends_at = Instant(help_text="With an offset from UTC.")
    expected = ExpectedIn(required=False, allow_null=True)


class ExtendForCustomerIn(ExtendIn):
    reason = Text(max_length=500, help_text="Who of the customer asked for it, and how. Read by the customer.")


class AdjustIn(StrictSerializer):
    starts_at = Instant(required=False, allow_null=True, default=None, help_text="Left out with the end: nothing is charged.")
    ends_at = Instant(required=False, allow_null=True, default=None)
    reason = Text(max_length=1000)


class AnswerIn(StrictSerializer):
    answer = Text(max_length=1000, help_text="Read by the customer.")


class DecideIn(StrictSerializer):
    decision = serializers.ChoiceField(choices=Decision.values)
    reason = Text(max_length=1000, help_text="Read by both sides.")


class CloseOutIn(StrictSerializer):
    report_due_on = Day(required=False, allow_null=True, default=None)
    reported_on = Day(required=False, allow_null=True, default=None)
    retests = WholeNumber(required=False, default=0, max_value=1000)
    note = Text(max_length=500, required=False, allow_blank=True, default="")
    grade = serializers.ChoiceField(choices=["", *GRADES], required=False, default="")


class CloseOutOut(serializers.Serializer):
    report_due_on = serializers.DateField(allow_null=True)
    reported_on = serializers.DateField(allow_null=True)
    on_time = serializers.BooleanField(allow_null=True)
    retests = serializers.IntegerField()
    note = serializers.CharField()
    grade = serializers.CharField()
    graded_by = serializers.CharField()
    confirmed_by = serializers.CharField(help_text="Empty until a second person confirmed the grade.")


class SpanOut(serializers.Serializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)


class WishOut(serializers.Serializer):
    proposed = SpanOut(allow_null=True, help_text="Null: nothing is charged.")
    reason = serializers.CharField()
    state = serializers.CharField()
    answer = serializers.CharField()


class DisputeOut(serializers.Serializer):
    reason = serializers.CharField()
    decision = serializers.CharField(help_text="Empty until somebody decided.")
    decision_reason = serializers.CharField()


class UsageOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    state = serializers.ChoiceField(choices=_STATES)
    outcome = serializers.ChoiceField(choices=[str(one) for one in Outcome])
    booked = SpanOut()
    actual = SpanOut()
    billable = SpanOut(allow_null=True)
    billable_minutes = serializers.IntegerField(allow_null=True)
    billable_rule = serializers.CharField(help_text="Which rule derived the billable time.")
    overrun_minutes = serializers.IntegerField(help_text="Use outside the booked time, charged or not.")
    started_by = serializers.ChoiceField(choices=Means.values)
    ended_by = serializers.CharField()
    doubt = serializers.CharField(help_text="What does not add up about the times; the lab looks at them before time agrees.")
    late_entered = serializers.BooleanField()
    evidence = serializers.CharField()
    review_until = serializers.DateTimeField(allow_null=True)
    customer_agreed_at = serializers.DateTimeField(allow_null=True)
    lab_agreed_at = serializers.DateTimeField(allow_null=True)
    agreed_at = serializers.DateTimeField(allow_null=True)
    agreed_how = serializers.CharField()
    adjustment = WishOut(allow_null=True)
    dispute = DisputeOut(allow_null=True)
    close_out = CloseOutOut(allow_null=True)


class ToldIn(StrictSerializer):
    id = Text(max_length=120, help_text="The device's own id of the event; the same id again changes nothing.")
    kind = serializers.ChoiceField(choices=[str(kind) for kind in EventKind])
    at = Instant(help_text="By the device's clock, with an offset from UTC.")
    instrument = Id(required=False, allow_null=True, default=None, help_text="Needed with a key of a whole lab.")
    device = Text(max_length=100, required=False, allow_blank=True, default="")
    value = serializers.DecimalField(max_digits=18, decimal_places=3, required=False, allow_null=True, default=None)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A run of an hour, told afterwards",
            value={
                "sent_at": "2026-11-25T10:05:00+08:00",
                "events": [
                    {"id": "a-17", "kind": "start", "at": "2026-11-25T09:00:00+08:00"},
                    {"id": "a-18", "kind": "counter", "at": "2026-11-25T09:59:00+08:00", "value": "12.000"},
                    {"id": "a-19", "kind": "stop", "at": "2026-11-25T10:00:00+08:00"},
                ],
            },
            request_only=True,
        )
    ]
)
class BatchIn(StrictSerializer):
    sent_at = Instant(help_text="What the device takes for now while it sends: its clock is measured by it.")
    events = ToldIn(many=True, allow_empty=False)


class FateOut(serializers.Serializer):
    id = serializers.CharField()
    result = serializers.ChoiceField(choices=["stored", "repeated", "refused"])
    code = serializers.CharField(help_text="Why it was refused; empty otherwise.")
    detail = serializers.CharField(help_text="The same in words.")


class ReceiptOut(serializers.Serializer):
    skew_seconds = serializers.IntegerField(help_text="How far the device's clock is behind ours.")
    events = FateOut(many=True)


class DeviceKeyIn(StrictSerializer):
    organisation = Id()
    instrument = Id(required=False, allow_null=True, default=None, help_text="Left out: for all instruments of the organisation.")
    name = Text(max_length=2000)


class DeviceKeyOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    organisation = NamedOut()
    instrument = NamedOut(allow_null=True)
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)
    skew_seconds = serializers.IntegerField(allow_null=True)


class MadeKeyOut(DeviceKeyOut):
    key = serializers.CharField(help_text="Shown this once.")


class ProblemParameters(PageParameters):
    instrument = IdParameter(required=False)
    decided = serializers.BooleanField(required=False, default=False)


class ProblemOut(serializers.Serializer):
    id = serializers.IntegerField()
    instrument = NamedOut()
    device = serializers.CharField()
    problem = serializers.ChoiceField(choices=[str(kind) for kind in ProblemKind])
    state = serializers.ChoiceField(choices=RunState.values)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    heard_at = serializers.DateTimeField()
    skew_seconds = serializers.IntegerField()
    reservation = serializers.IntegerField(allow_null=True, help_text="What it may belong to, or was attached to.")
    reason = serializers.CharField()


class AttachIn(StrictSerializer):
    reservation = Id()


class EntryIn(StrictSerializer):
    organisation = Id(help_text="The customer.")
    person = Id(help_text="Who of the customer used it.")
    starts_at = Instant(help_text="With an offset from UTC.")
    ends_at = Instant(help_text="With an offset from UTC.")
    service_mode = serializers.ChoiceField(choices=ServiceMode.values)
    evidence = Text(max_length=1000)
    reason = Text(max_length=500)


class LateEntryIn(EntryIn):
    instrument = Id()


class IgnoreIn(StrictSerializer):
    reason = Text(max_length=500)
