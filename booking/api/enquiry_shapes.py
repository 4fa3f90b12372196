"""What questions to labs look like over the API. Instants are UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from booking.api.serializers import NamedOut
from booking.models import Enquiry, EnquiryMessage, Need
from booking.queries import enquiries as queries
from booking.rules.enquiries import EnquiryState, Side
from config.kernel.api.fields import Id, IdParameter, Text
from config.kernel.api.serializers import PageParameters, StrictSerializer
from instruments.rules.answer_time import Waiting

_TEXT = 20_000  # longer is refused as input; the service says what really fits
_STATES = [state.value for state in EnquiryState]


class EnquiryParameters(PageParameters):
    side = serializers.ChoiceField(
        choices=[side.value for side in Side], required=False, help_text="What my organisations asked, or what my labs are asked."
    )
    state = serializers.ChoiceField(choices=_STATES, required=False)
    need = IdParameter(required=False)
    reservation = IdParameter(required=False)
    sample_job = IdParameter(required=False)


class QuestionIn(StrictSerializer):
    """About exactly one of: an instrument, a resource (a test item), a request for a resource, a reservation, a sample job. About the
    last two the lab may begin."""

    organisation = Id(help_text="On whose behalf; of a lab that begins: who is asked.")
    subject = Text(max_length=_TEXT)
    text = Text(max_length=_TEXT)
    instrument = Id(required=False, allow_null=True)
    resource = Id(required=False, allow_null=True)
    resource_request = Id(required=False, allow_null=True)
    reservation = Id(required=False, allow_null=True)
    sample_job = Id(required=False, allow_null=True)


class NeedIn(StrictSerializer):
    organisation = Id(help_text="On whose behalf.")
    subject = Text(max_length=_TEXT)
    text = Text(max_length=_TEXT)
    labs = serializers.ListField(child=Id(), max_length=200, help_text="The owners that are asked, ten at most.")
    technique = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    region_code = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="Six digits.")


class MessageIn(StrictSerializer):
    """Multipart: the words, and up to five files."""

    text = serializers.CharField(max_length=_TEXT)
    attachments = serializers.ListField(child=serializers.FileField(), required=False, default=list, max_length=50)


class WorkdaysIn(StrictSerializer):
    workdays = Id(help_text="Working days within which the lab answers.")


class WaitingOut(serializers.Serializer):
    since = serializers.DateTimeField(default_timezone=UTC)
    due_at = serializers.DateTimeField(default_timezone=UTC)
    age_minutes = serializers.IntegerField(help_text="Minutes of working days that have passed.")
    promise_minutes = serializers.IntegerField()
    overdue = serializers.BooleanField()


class EnquiryOut(serializers.Serializer):
    id = serializers.IntegerField()
    lab = NamedOut()
    organisation = NamedOut()
    asked_by = serializers.CharField()
    subject = serializers.CharField()
    instrument = serializers.IntegerField(allow_null=True)
    resource = serializers.IntegerField(allow_null=True)
    resource_request = serializers.IntegerField(allow_null=True)
    reservation = serializers.IntegerField(allow_null=True)
    sample_job = serializers.IntegerField(allow_null=True)
    need = serializers.IntegerField(allow_null=True, help_text="Null for the labs: others may have been asked.")
    state = serializers.ChoiceField(choices=_STATES)
    unread = serializers.BooleanField()
    asked_at = serializers.DateTimeField(default_timezone=UTC)
    last_message_at = serializers.DateTimeField(default_timezone=UTC)
    waiting = WaitingOut(allow_null=True)


class AttachmentOut(serializers.Serializer):
    id = serializers.IntegerField()
    file_name = serializers.CharField()
    media_type = serializers.CharField()
    size_bytes = serializers.IntegerField()


class MessageOut(serializers.Serializer):
    id = serializers.IntegerField()
    side = serializers.ChoiceField(choices=[side.value for side in Side])
    author = serializers.CharField()
    text = serializers.CharField()
    sent_at = serializers.DateTimeField(default_timezone=UTC)
    attachments = AttachmentOut(many=True)


class ThreadOut(EnquiryOut):
    messages = MessageOut(many=True)


class MadeOut(serializers.Serializer):
    id = serializers.IntegerField()
    url = serializers.CharField(help_text="Where it is read.")


class NeedOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = NamedOut()
    subject = serializers.CharField()
    text = serializers.CharField()
    technique = serializers.CharField()
    region_code = serializers.CharField()
    asked_at = serializers.DateTimeField(default_timezone=UTC)
    asked = serializers.IntegerField(help_text="So many labs were asked.")
    waiting = serializers.IntegerField(help_text="So many have not answered yet.")


class NeedDetailOut(NeedOut):
    enquiries = EnquiryOut(many=True)


class PromiseOut(serializers.Serializer):
    id = serializers.IntegerField()
    workdays = serializers.IntegerField()


def enquiries_json(rows: Sequence[Enquiry], now: datetime, asking: Callable[[Enquiry], bool]) -> list[dict[str, Any]]:
    """Threads in a list; where ``asking``, with what is for the customer's side alone."""
    waiting = queries.waiting_of(rows, now)
    return [_enquiry_json(row, waiting.get(row.pk), asking=asking(row)) for row in rows]


def _enquiry_json(row: Enquiry, waiting: Waiting | None, *, asking: bool) -> dict[str, Any]:
    shown = {
        "id": row.pk,
        "lab": {"id": row.lab_id, "name": row.lab.name},
        "organisation": {"id": row.organisation_id, "name": row.organisation.name},
        "asked_by": str(row.asked_by),
        "subject": row.subject,
        "instrument": row.instrument_id,
        "resource": row.resource_id,
        "resource_request": row.resource_request_id,
        "reservation": row.reservation_id,
        "sample_job": row.sample_job_id,
        "need": row.need_id if asking else None,
        "state": row.state,
        "unread": row.is_unread,  # type: ignore[attr-defined]
        "asked_at": row.asked_at,
        "last_message_at": row.last_message_at,
        "waiting": waiting,
    }
    return dict(EnquiryOut(shown).data)


def message_json(row: EnquiryMessage) -> dict[str, Any]:
    files = [
        {"id": each.pk, "file_name": each.file.file_name, "media_type": each.file.media_type, "size_bytes": each.file.size_bytes}
        for each in row.attachments.all()
    ]
    shown = {"id": row.pk, "side": row.side, "author": str(row.author), "text": row.text, "sent_at": row.sent_at}
    return dict(MessageOut(shown | {"attachments": files}).data)


def need_json(row: Need) -> dict[str, Any]:
    names = ("subject", "text", "technique", "region_code", "asked_at", "asked", "waiting")
    organisation = {"id": row.organisation_id, "name": row.organisation.name}
    shown = {"id": row.pk, "organisation": organisation, **{name: getattr(row, name) for name in names}}
    return dict(NeedOut(shown).data)
