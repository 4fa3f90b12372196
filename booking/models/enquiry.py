"""Questions to a lab: a thread of messages with attachments between a customer organisation and an owner."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from booking.rules.enquiries import EnquiryState, Side
from config.kernel.models.guards import append_only, no_truncate

_ABOUT = ("instrument", "resource", "resource_request", "need", "reservation", "sample_job")


def _about_one_thing() -> models.Q:
    condition = models.Q()
    for chosen in _ABOUT:
        condition |= models.Q(**{f"{name}__isnull": name != chosen for name in _ABOUT})
    return condition


class Need(models.Model):
    """Something that an organisation could not find, in its own words, put to several labs at once: one ``Enquiry`` for each.

    ``technique`` is a word or a code of the list of techniques, ``region_code`` a division; both may be empty.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="needs")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    technique = models.CharField(max_length=100, blank=True)
    region_code = models.CharField(max_length=6, blank=True)
    asked_at = models.DateTimeField()


class Enquiry(models.Model):
    """A question of ``organisation`` (the customer) to ``lab`` (the owner, which may be the customer itself) about one thing; about a
    reservation or a sample job of theirs the lab may begin too. ``asked_by`` is who began.

    ``state`` is a value of ``booking.rules.enquiries.EnquiryState`` and is written only by ``booking.services.enquiries``.
    ``waiting_since`` is when the oldest message that the lab has not answered came; ``answer_due_at`` (UTC) is the promise for it. Both
    are empty exactly while nothing waits.
    """

    lab = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="enquiries_received")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="enquiries")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=200)
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="enquiries")
    resource = models.ForeignKey("instruments.Resource", null=True, on_delete=models.PROTECT, related_name="enquiries")
    resource_request = models.ForeignKey(
        "instruments.ResourceRequest", null=True, on_delete=models.PROTECT, related_name="enquiries"
    )
    need = models.ForeignKey(Need, null=True, on_delete=models.PROTECT, related_name="enquiries")
    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="enquiries")
    sample_job = models.ForeignKey("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="enquiries")
    state = models.CharField(max_length=20)
    asked_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True)
    answer_due_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in EnquiryState]), name="enquiry_state_known"
            ),
            models.CheckConstraint(condition=_about_one_thing(), name="enquiry_about_one_thing"),
            models.CheckConstraint(
                condition=models.Q(state="open", waiting_since__isnull=False, answer_due_at__isnull=False)
                | (~models.Q(state="open") & models.Q(waiting_since__isnull=True, answer_due_at__isnull=True)),
                name="enquiry_waits_while_open",
            ),
            models.UniqueConstraint(fields=["need", "lab"], name="enquiry_once_for_a_need"),
        ]
        indexes = [
            models.Index(fields=["lab", "state", "answer_due_at"], name="enquiry_by_lab"),
            models.Index(fields=["organisation", "-last_message_at"], name="enquiry_by_customer"),
        ]

    def __str__(self) -> str:
        return self.subject


class EnquiryMessage(models.Model):
    """What one side wrote. Append-only by trigger."""

    enquiry = models.ForeignKey(Enquiry, on_delete=models.PROTECT, related_name="messages")
    side = models.CharField(max_length=10)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(side__in=[side.value for side in Side]), name="enquiry_message_side_known")
        ]
        indexes = [models.Index(fields=["enquiry", "id"], name="message_by_enquiry")]
        triggers = [append_only("enquiry_message_append_only"), no_truncate("enquiry_message_no_truncate")]


class EnquiryAttachment(models.Model):
    """A file that came with a message. Append-only by trigger."""

    message = models.ForeignKey(EnquiryMessage, on_delete=models.PROTECT, related_name="attachments")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "position"], name="enquiry_attachment_position")]
        triggers = [append_only("enquiry_attachment_append_only"), no_truncate("enquiry_attachment_no_truncate")]


class EnquirySeen(models.Model):
    """How far one person has read a thread: up to ``message``, inclusive."""

    enquiry = models.ForeignKey(Enquiry, on_delete=models.CASCADE, related_name="seen")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(EnquiryMessage, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "user"], name="enquiry_seen_once")]
