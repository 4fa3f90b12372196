"""What sample jobs look like over the API. Days are local days of the lab; instants are UTC; amounts are fen."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers

from billing.settlement import sample_figures
from booking.api.serializers import ExpectedIn, NamedOut, SaidIn, SaidOut, UndoableIn
from booking.models import GRADES, SampleJob
from booking.queries import samples as queries
from booking.rules.enquiries import Side
from booking.rules.samples import (
    MOST_SAMPLES,
    Direction,
    ExtraKind,
    ExtraState,
    JobState,
    Remains,
    RemainsWish,
    SampleState,
    SampleStep,
)
from booking.rules.service_facts import Direction as ServiceFor
from config.kernel.access import Actor
from config.kernel.api.fields import Day, Id, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer
from instruments.queries.spending import cards_visible

_TEXT = 4000  # longer is refused as input; the service says what really fits


def _choice(values: Any, **more: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[each.value for each in values], **more)


class SampleJobParameters(PageParameters):
    side = _choice(Side, required=False, help_text="What my organisations sent, or what my labs were sent.")
    state = _choice(JobState, required=False)


class SampleJobIn(SaidIn):
    resource = Id(help_text="The test item.")
    organisation = Id(help_text="On whose behalf.")
    samples = Id()
    elements = Id(required=False, default=1, help_text="How many elements are measured in each, where each costs.")
    names = serializers.ListField(
        child=Text(max_length=_TEXT, allow_blank=True),
        required=False,
        default=list,
        max_length=MOST_SAMPLES,
        help_text="What the customer calls them, in order.",
    )
    arrive_on = Day(help_text="When they come to the lab.")
    note = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    hazards = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    remains_wish = _choice(RemainsWish, required=False, default=RemainsWish.RETURN.value)
    research_project = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    service_direction = Text(
        max_length=20,
        required=False,
        allow_blank=True,
        default="",
        help_text="For the national record: " + ", ".join(ServiceFor) + ".",
    )
    fund_source = Text(
        max_length=10,
        required=False,
        allow_blank=True,
        default="",
        help_text="Code of the national list of fund sources, 1 to 17.",
    )
    fund_card = Id(required=False, allow_null=True, default=None, help_text="What it is paid from: a card for which I spend.")
    commission = Id(
        required=False, allow_null=True, default=None, help_text="A commission sheet under whose price they are sent."
    )
    expected = ExpectedIn(required=False, help_text="The figures that the person saw; with others nothing is asked for (409).")


class SampleAcceptIn(UndoableIn):
    promised_on = Day(required=False, help_text="Another day than the one that was worked out.")
    expected = ExpectedIn(required=False, help_text="The figures that the lab looked at; with others nothing is accepted (409).")


class SampleReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="Read by the other side.")


class SampleRefuseIn(SampleReasonIn, UndoableIn):
    pass


class SampleCommissionIn(StrictSerializer):
    sheet = Id(help_text="A commission sheet of the same two sides with a line for this test item.")
    expected = ExpectedIn(
        required=False, help_text="The figures that the person saw; with others, or unseen dearer ones, nothing is linked (409)."
    )


class SampleStepIn(StrictSerializer):
    samples = serializers.ListField(child=Id(), max_length=MOST_SAMPLES, help_text="Ids of samples of this job.")
    step = _choice(SampleStep)
    reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="For samples that are unfit or lost.")
    ends_job = serializers.BooleanField(
        required=False, default=False, help_text="True where no sample can be tested after this: the job then ends for good."
    )


class SampleRemainsIn(StrictSerializer):
    samples = serializers.ListField(child=Id(), max_length=MOST_SAMPLES)
    remains = _choice([each for each in Remains if each is not Remains.WITH_LAB])
    kept_until = Day(required=False, help_text="For what is kept.")


class SampleParcelIn(StrictSerializer):
    direction = _choice(Direction)
    carrier = Text(max_length=_TEXT)
    number = Text(max_length=_TEXT)


class SampleExtraIn(StrictSerializer):
    kind = _choice(ExtraKind)
    words = Text(max_length=_TEXT)
    amount_fen = WholeNumber()


class SampleConsentIn(StrictSerializer):
    amount_fen = WholeNumber(required=False, help_text="What was shown; another amount is not agreed to (409).")


class SampleReportIn(StrictSerializer):
    """Multipart: the file, and a line about it."""

    report = serializers.FileField()
    note = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True, default="")


class SampleCloseOutIn(StrictSerializer):
    grade = serializers.ChoiceField(choices=["", *GRADES], required=False, default="")
    note = Text(max_length=_TEXT, required=False, allow_blank=True, default="")


class SampleOut(serializers.Serializer):
    id = serializers.IntegerField()
    position = serializers.IntegerField()
    code = serializers.CharField(source="label", help_text="As it stands on the label; the last character checks the others.")
    name = serializers.CharField()
    state = _choice(SampleState)
    reason = serializers.CharField(help_text="Why it is unfit or lost.")
    remains = _choice(Remains)
    kept_until = serializers.DateField(allow_null=True)


class SampleExtraOut(serializers.Serializer):
    id = serializers.IntegerField()
    kind = _choice(ExtraKind)
    words = serializers.CharField()
    amount_fen = serializers.IntegerField()
    state = _choice(ExtraState)
    proposed_at = serializers.DateTimeField(default_timezone=UTC)
    answered_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)


class SampleParcelOut(serializers.Serializer):
    direction = _choice(Direction)
    carrier = serializers.CharField()
    number = serializers.CharField()
    noted_at = serializers.DateTimeField(default_timezone=UTC)


class SampleReportOut(serializers.Serializer):
    id = serializers.IntegerField()
    position = serializers.IntegerField(help_text="The highest is the one that holds.")
    file_name = serializers.CharField(source="file.file_name")
    media_type = serializers.CharField(source="file.media_type")
    size_bytes = serializers.IntegerField(source="file.size_bytes")
    sha256 = serializers.CharField(source="file.sha256")
    note = serializers.CharField()
    uploaded_at = serializers.DateTimeField(default_timezone=UTC)


class SampleFiguresOut(serializers.Serializer):
    gross_fen = serializers.IntegerField(help_text="With agreed extra charges.")
    payable_now_fen = serializers.IntegerField()
    final_cost_fen = serializers.IntegerField()
    estimate = serializers.BooleanField()
    charged = serializers.BooleanField()
    waits_for_customer = serializers.BooleanField(source="waits")


class SampleCloseOutOut(serializers.Serializer):
    report_due_on = serializers.DateField(source="service.due_on", allow_null=True, help_text="The promised day.")
    reported_on = serializers.DateField(source="service.reported_on", allow_null=True, help_text="The day of the first report.")
    on_time = serializers.BooleanField(source="service.on_time", allow_null=True)
    retests = serializers.IntegerField(source="service.retests", help_text="Agreed charges for tests done again.")
    note = serializers.CharField(source="closed.note")
    grade = serializers.CharField(source="closed.grade")
    graded_by = serializers.CharField()
    confirmed_by = serializers.CharField(help_text="Empty until a second person confirmed the grade.")


class SampleJobRow(serializers.Serializer):
    id = serializers.IntegerField()
    reference = serializers.CharField()
    state = _choice(JobState)
    resource = NamedOut()
    lab = NamedOut()
    organisation = NamedOut()
    sample_count = serializers.IntegerField()
    arrive_on = serializers.DateField()
    promised_on = serializers.DateField(allow_null=True)
    asked_at = serializers.DateTimeField(default_timezone=UTC)


class SampleJobOut(SampleJobRow, SaidOut):
    fund_card = serializers.IntegerField(allow_null=True, help_text="For who may see the card.")
    awaits_leader = serializers.BooleanField(
        help_text="The leader of the group that pays has not agreed yet; the lab cannot accept."
    )
    elements = serializers.IntegerField()
    note = serializers.CharField()
    hazards = serializers.CharField()
    remains_wish = _choice(RemainsWish)
    research_project = serializers.CharField()
    service_direction = serializers.CharField(help_text="Empty: it was not said.")
    fund_source = serializers.CharField()
    first_promised_on = serializers.DateField(allow_null=True, help_text="What was promised when it was asked for.")
    received_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    tested_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    reported_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    close_due_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True, help_text="When it closes by itself.")
    closed_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    samples = SampleOut(many=True)
    extras = SampleExtraOut(many=True)
    parcels = SampleParcelOut(many=True)
    reports = SampleReportOut(many=True, help_text="For its two sides only.")
    close_out = SampleCloseOutOut(allow_null=True, help_text="Null until the lab wrote one.")
    figures = SampleFiguresOut(allow_null=True, help_text="What was accepted last, or charged.")
    waiting = SampleFiguresOut(
        allow_null=True, help_text="New figures that wait for the customer's yes (accept-quote); null where none do."
    )


class SampleFoundOut(SampleOut):
    job = serializers.IntegerField(source="job_id")


def job_row(job: SampleJob) -> dict[str, Any]:
    """A job in a list."""
    return dict(SampleJobRow(job).data)


def job_json(actor: Actor, job: SampleJob) -> dict[str, Any]:
    """A job (``queries.job_for``) with everything about it."""
    money, extra_fen = sample_figures.money_of(actor, job), queries.agreed_extra_fen(job.extras.all())
    shown = {
        **_own_fields(job),
        "samples": list(job.samples.all()),
        "extras": list(job.extras.all()),
        "parcels": list(job.parcels.all()),
        "reports": queries.reports_of(actor, job.pk),
        "close_out": _close_out(job),
        "figures": money.figures(extra_fen),
        "waiting": money.waiting_figures,
        "fund_card": _card_seen(actor, job),
        "awaits_leader": queries.waits_for_leader(job),
    }
    return dict(SampleJobOut(shown).data)


def _close_out(job: SampleJob) -> dict[str, Any] | None:
    closed = queries.close_out_of(job)
    if closed is None:
        return None
    people = {name: str(getattr(closed, name) or "") for name in ("graded_by", "confirmed_by")}
    return {"closed": closed, "service": queries.service_of(job), **people}


def _card_seen(actor: Actor, job: SampleJob) -> int | None:
    found = cards_visible(actor).filter(pk=job.fund_card_id).first() if job.fund_card_id is not None else None
    return found.pk if found is not None else None


def _own_fields(job: SampleJob) -> dict[str, Any]:
    names = [str(name) for name in SampleJobOut().fields if name not in _AROUND]
    return {name: getattr(job, name) for name in names}


_AROUND = ("samples", "extras", "parcels", "reports", "close_out", "figures", "waiting", "fund_card", "awaits_leader")
