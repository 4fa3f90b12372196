"""What courses, licences, credit points and lists look like over the API. Instants carry the offset of the platform's zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from rest_framework import serializers

from booking.models import (
    AccessListEntry,
    CourseSession,
    CreditAppeal,
    CreditEvent,
    Enrolment,
    RecognitionRequest,
    TrainingCourse,
)
from booking.queries.licences import Held
from booking.rules.credit import EventKind
from booking.rules.training import EnrolmentState, Level
from config.kernel.api.fields import Id, Instant, Text, WholeNumber
from config.kernel.api.serializers import StrictSerializer

_TEXT = 2000  # longer is refused as input; the service says what really fits
LEVELS = [str(level) for level in Level]


def local(moment: datetime | None) -> str | None:
    """ISO 8601 with the offset of the platform's zone."""
    return None if moment is None else moment.astimezone(ZoneInfo(settings.TIME_ZONE)).isoformat()


class ScopeOut(serializers.Serializer):
    instrument = serializers.IntegerField(
        allow_null=True, help_text="One instrument; null with an empty class: all of the lab's."
    )
    class_code = serializers.CharField(help_text="A class, or the beginning of its code.")


class SessionOut(serializers.Serializer):
    id = serializers.IntegerField()
    course = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    place = serializers.CharField()
    places = serializers.IntegerField()
    taken = serializers.IntegerField()
    waiting = serializers.IntegerField()
    called_off = serializers.BooleanField()


class CourseOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    title = serializers.CharField()
    title_en = serializers.CharField()
    description = serializers.CharField()
    level = serializers.ChoiceField(choices=LEVELS)
    validity_months = serializers.IntegerField(allow_null=True, help_text="How long a licence lasts; null: for good.")
    unused_months = serializers.IntegerField(allow_null=True, help_text="It ends after so many months without use; null: never.")
    pass_mark = serializers.IntegerField(help_text="Out of 100.")
    active = serializers.BooleanField()
    scopes = ScopeOut(many=True)
    sessions = SessionOut(many=True, help_text="Those that have not begun; for one course all.")


class CourseIn(StrictSerializer):
    title = Text(max_length=_TEXT)
    title_en = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    description = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    level = serializers.ChoiceField(choices=LEVELS)
    validity_months = WholeNumber(required=False, allow_null=True, default=None)
    unused_months = WholeNumber(required=False, allow_null=True, default=None)
    pass_mark = WholeNumber(required=False, default=60)
    active = serializers.BooleanField(required=False, default=True)
    instruments = serializers.ListField(child=Id(), required=False, default=list, max_length=500)
    class_codes = serializers.ListField(child=Text(max_length=6), required=False, default=list, max_length=100)
    require = serializers.BooleanField(
        required=False, default=False, help_text="Who works alone at the named instruments needs a licence from now on."
    )


class NewCourseIn(CourseIn):
    organisation = Id(help_text="The lab that teaches it.")


class SessionIn(StrictSerializer):
    starts_at = Instant(help_text="With an offset from UTC.")
    ends_at = Instant(help_text="With an offset from UTC.")
    place = Text(max_length=_TEXT)
    places = WholeNumber()


class GroundsIn(StrictSerializer):
    reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="Read by those concerned.")


class EnrolmentOut(serializers.Serializer):
    id = serializers.IntegerField()
    session = serializers.IntegerField()
    person = serializers.CharField()
    state = serializers.ChoiceField(choices=[str(state) for state in EnrolmentState])
    enrolled_at = serializers.DateTimeField()
    score = serializers.IntegerField(allow_null=True)
    note = serializers.CharField()


class AttendanceIn(StrictSerializer):
    was_there = serializers.BooleanField()


class ResultIn(StrictSerializer):
    score = WholeNumber(help_text="Out of 100.")
    note = Text(max_length=_TEXT, required=False, allow_blank=True, default="")


class LicenceOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    person = serializers.CharField()
    instrument = serializers.IntegerField(allow_null=True)
    class_code = serializers.CharField()
    level = serializers.ChoiceField(choices=LEVELS)
    state = serializers.ChoiceField(choices=["valid", "expired", "suspended", "revoked"])
    origin = serializers.CharField()
    granted_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    unused_months = serializers.IntegerField(allow_null=True)
    evidence_reference = serializers.CharField()
    reason = serializers.CharField()


class GrantIn(StrictSerializer):
    instrument = Id()
    email = Text(max_length=254)
    level = serializers.ChoiceField(choices=LEVELS)
    reference = Text(max_length=_TEXT, help_text="What it rests on.")
    valid_until = Instant(required=False, allow_null=True, default=None)


class RecognitionIn(StrictSerializer):
    level = serializers.ChoiceField(choices=LEVELS)
    statement = Text(max_length=_TEXT)
    file = serializers.FileField(help_text="The proof: PDF, JPEG or PNG.")


class RecognitionOut(serializers.Serializer):
    id = serializers.IntegerField()
    instrument = serializers.IntegerField()
    person = serializers.CharField()
    level = serializers.ChoiceField(choices=LEVELS)
    statement = serializers.CharField()
    state = serializers.ChoiceField(choices=["open", "accepted", "refused", "withdrawn"])
    asked_at = serializers.DateTimeField()
    reason = serializers.CharField()
    licence = serializers.IntegerField(allow_null=True)


class RecognitionDecisionIn(StrictSerializer):
    accept = serializers.BooleanField()
    reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    valid_until = Instant(required=False, allow_null=True, default=None)


class WayOut(serializers.Serializer):
    """The answer to "How do I get to use it myself?"."""

    needed = serializers.BooleanField(help_text="Who works alone needs a licence.")
    levels = serializers.ListField(child=serializers.ChoiceField(choices=LEVELS), help_text="What you hold now.")
    courses = CourseOut(many=True)
    licences = LicenceOut(many=True)
    requests = RecognitionOut(many=True)


class EventOut(serializers.Serializer):
    id = serializers.IntegerField()
    person = serializers.CharField()
    organisation = serializers.IntegerField(help_text="The lab.")
    instrument = serializers.IntegerField(allow_null=True)
    reservation = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(choices=[str(kind) for kind in EventKind])
    lab_points = serializers.IntegerField()
    platform_points = serializers.IntegerField()
    at = serializers.DateTimeField()
    note = serializers.CharField()
    reverses = serializers.IntegerField(allow_null=True)
    appeal = serializers.CharField(help_text="open, granted, refused, or nothing.")


class CreditNoteIn(StrictSerializer):
    organisation = Id(help_text="The lab.")
    email = Text(max_length=254)
    points = serializers.IntegerField(min_value=-1000, max_value=1000, help_text="Signed.")
    note = Text(max_length=_TEXT)


class AppealIn(StrictSerializer):
    text = Text(max_length=_TEXT)


class AppealOut(serializers.Serializer):
    id = serializers.IntegerField()
    event = serializers.IntegerField()
    text = serializers.CharField()
    made_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=["open", "granted", "refused"])
    answer = serializers.CharField()


class AppealDecisionIn(StrictSerializer):
    grant = serializers.BooleanField()
    answer = Text(max_length=_TEXT)


class RulesOut(serializers.Serializer):
    organisation = serializers.IntegerField(allow_null=True, help_text="The lab; null: the platform.")
    document = serializers.JSONField(allow_null=True, help_text="Null: no points are kept.")


class RulesIn(StrictSerializer):
    document = serializers.JSONField(allow_null=True, help_text="See docs/licences-and-credit.md; null stops keeping points.")


class ListingIn(StrictSerializer):
    organisation = Id(required=False, allow_null=True, default=None, help_text="The lab; null: everywhere (the operator's).")
    verdict = serializers.ChoiceField(choices=["deny", "allow"])
    reason = Text(max_length=_TEXT)
    email = Text(max_length=254, required=False, allow_blank=True, default="")
    customer = Text(max_length=200, required=False, allow_blank=True, default="", help_text="The exact name of a customer.")
    instrument = Id(required=False, allow_null=True, default=None)
    until = Instant(required=False, allow_null=True, default=None)


class ListingOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField(allow_null=True)
    instrument = serializers.IntegerField(allow_null=True)
    person = serializers.CharField()
    customer = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["deny", "allow"])
    until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


def session_out(row: CourseSession) -> dict[str, Any]:
    return {
        "id": row.pk,
        "course": row.course_id,
        "starts_at": local(row.starts_at),
        "ends_at": local(row.ends_at),
        "place": row.place,
        "places": row.places,
        "taken": getattr(row, "taken", 0),
        "waiting": getattr(row, "waiting", 0),
        "called_off": row.called_off_at is not None,
    }


def course_out(row: TrainingCourse) -> dict[str, Any]:
    plain = ("title", "title_en", "description", "level", "validity_months", "unused_months", "pass_mark", "active")
    sessions = row.coming if hasattr(row, "coming") else row.sessions.all()
    return {
        "id": row.pk,
        "organisation": row.organisation_id,
        **{name: getattr(row, name) for name in plain},
        "scopes": [{"instrument": one.instrument_id, "class_code": one.class_code} for one in row.scopes.all()],
        "sessions": [session_out(one) for one in sessions],
    }


def enrolment_out(row: Enrolment) -> dict[str, Any]:
    return {
        "id": row.pk,
        "session": row.session_id,
        "person": str(row.person),
        "state": row.state,
        "enrolled_at": local(row.enrolled_at),
        "score": row.score,
        "note": row.note,
    }


def licence_out(held: Held) -> dict[str, Any]:
    row = held.licence
    plain = ("class_code", "level", "origin", "unused_months", "evidence_reference", "reason")
    return {
        "id": row.pk,
        "organisation": row.organisation_id,
        "person": str(row.person),
        "instrument": row.instrument_id,
        **{name: getattr(row, name) for name in plain},
        "state": held.state,
        "granted_at": local(row.granted_at),
        "valid_until": local(row.valid_until),
    }


def recognition_out(row: RecognitionRequest) -> dict[str, Any]:
    return {
        "id": row.pk,
        "instrument": row.instrument_id,
        "person": str(row.person),
        "level": row.level,
        "statement": row.statement,
        "state": row.state,
        "asked_at": local(row.asked_at),
        "reason": row.reason,
        "licence": row.licence_id,
    }


def event_out(row: CreditEvent) -> dict[str, Any]:
    return {
        "id": row.pk,
        "person": str(row.person),
        "organisation": row.organisation_id,
        "instrument": row.instrument_id,
        "reservation": row.reservation_id,
        "kind": row.kind,
        "lab_points": row.lab_points,
        "platform_points": row.platform_points,
        "at": local(row.at),
        "note": row.note,
        "reverses": row.reverses_id,
        "appeal": row.appeal.state if hasattr(row, "appeal") else "",
    }


def appeal_out(row: CreditAppeal) -> dict[str, Any]:
    return {
        "id": row.pk,
        "event": row.event_id,
        "text": row.text,
        "made_at": local(row.made_at),
        "state": row.state,
        "answer": row.answer,
    }


def listing_out(row: AccessListEntry) -> dict[str, Any]:
    return {
        "id": row.pk,
        "organisation": row.organisation_id,
        "instrument": row.instrument_id,
        "person": str(row.person) if row.person else "",
        "customer": row.customer.name if row.customer else "",
        "verdict": row.verdict,
        "until": local(row.until),
        "reason": row.reason,
    }
