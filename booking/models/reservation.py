from __future__ import annotations

from functools import reduce
from operator import or_

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from booking.rules.numbers import format_reference
from booking.rules.service_facts import Said, ServiceFacts
from config.kernel.models.guards import append_only, no_truncate
from config.kernel.time_range import TimeRange

_WAS_USED = ("completed", "adjusting", "adjustment_refused", "disputed", "agreed")

_STAYS_IN_LAB = """
IF OLD.state NOT IN ('requested', 'approved') THEN
    RAISE EXCEPTION 'reservation % is %: it keeps its instrument', OLD.id, OLD.state USING ERRCODE = '23001';
END IF;
IF (SELECT organisation_id FROM instruments_instrument WHERE id = OLD.instrument_id)
   <> (SELECT organisation_id FROM instruments_instrument WHERE id = NEW.instrument_id) THEN
    RAISE EXCEPTION 'reservation % stays with its lab', OLD.id USING ERRCODE = '23001';
END IF;
RETURN NEW;
"""


class Reservation(models.Model):
    """A planned use of an instrument in ``[starts_at, ends_at)``, with a state.

    ``organisation`` is the customer; ``fund_card`` is what it pays with, where it named one. ``requested_by`` is whose booking it is: the
    rules about people are asked for them. ``booked_by`` is the colleague who booked it in their name, if anybody did. ``state`` is a
    value of ``booking.rules.states.ReservationState`` and is written only by ``booking.services.transitions``; its history is
    ``transitions``. It may get another ``instrument`` of the same lab until it begins (``services.changes``). ``imported``: a list of the
    lab's brought it (``ImportedBooking``).
    Asked for in a ``series``, it is its ``ordinal``-th time; a ``group`` was asked for together with others.
    """

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="reservations")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="reservations")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=20)
    service_mode = models.CharField(max_length=20)
    purpose = models.CharField(max_length=500, blank=True)
    research_project = models.CharField(max_length=200, blank=True)
    service_direction = models.CharField(max_length=12, blank=True, db_default="", default="")
    service_kind = models.CharField(max_length=30, blank=True, db_default="", default="")
    settlement = models.CharField(max_length=40, blank=True, db_default="", default="")
    rate = models.CharField(max_length=8, blank=True, db_default="", default="")
    answers = models.TextField(blank=True, db_default="", default="")
    fund_source = models.CharField(max_length=4, blank=True, db_default="", default="")
    fund_card = models.ForeignKey("instruments.FundCard", null=True, on_delete=models.PROTECT, related_name="reservations")
    created_at = models.DateTimeField()
    imported = models.BooleanField(default=False, db_default=False)
    series = models.ForeignKey(
        "booking.ReservationSeries", null=True, on_delete=models.PROTECT, related_name="reservations", db_index=False
    )
    ordinal = models.PositiveSmallIntegerField(null=True)
    group = models.ForeignKey(
        "booking.ReservationGroup", null=True, on_delete=models.PROTECT, related_name="reservations", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "ordinal"], name="reservation_place_in_series"),
            models.CheckConstraint(
                condition=models.Q(series__isnull=True, ordinal__isnull=True)
                | models.Q(series__isnull=False, ordinal__gte=1),
                name="reservation_ordinal_in_series",
            ),
            models.CheckConstraint(condition=models.Q(starts_at__lt=models.F("ends_at")), name="reservation_has_length"),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "requested", "approved", "rejected", "cancelled", "in_use", "completed", "adjusting",
                        "adjustment_refused", "disputed", "agreed", "no_show", "expired",
                    ]
                ),
                name="reservation_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(booked_by__isnull=True) | ~models.Q(booked_by=models.F("requested_by")),
                name="reservation_booked_by_another",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["instrument", "starts_at"], name="reservation_by_instrument"),
            models.Index(fields=["organisation", "-starts_at"], name="reservation_by_customer"),
            models.Index(fields=["state", "starts_at"], name="reservation_by_state"),
            models.Index(fields=["group"], condition=models.Q(group__isnull=False), name="reservation_by_group"),
            # Whether a customer ever used an instrument of a lab, asked for each request that waits (``approval_inbox``). By the other
            # indexes the database walks through all that the customer ever booked, or all that was ever used. The states stand one by
            # one: of a list, the definition that the database gives back is not the same once it is run.
            models.Index(
                fields=["organisation", "instrument"],
                condition=reduce(or_, (models.Q(state=state) for state in _WAS_USED)),
                name="reservation_used",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="reservation_stays_in_lab",
                operation=pgtrigger.UpdateOf("instrument_id"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__instrument_id__df=pgtrigger.F("new__instrument_id")),
                func=_STAYS_IN_LAB,
            )
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What people read out on the phone; the year is that of the platform's own clock."""
        return format_reference(timezone.localtime(self.created_at).year, self.pk)

    def is_of(self, person_id: int | None) -> bool:
        """Whether somebody asked for it, in their own name or in a colleague's."""
        return person_id is not None and person_id in (self.requested_by_id, self.booked_by_id)

    @property
    def during(self) -> TimeRange:
        return TimeRange(self.starts_at, self.ends_at)

    @property
    def service_facts(self) -> ServiceFacts:
        """What the customer says of the service."""
        record = (self.purpose, self.research_project, self.service_direction, self.fund_source)
        return ServiceFacts(*record, *self.said)

    @property
    def said(self) -> Said:
        """What the customer says to programmes that ask."""
        return Said(self.service_kind, self.settlement, self.rate, self.answers)


class ReservationTransition(models.Model):
    """One step of a reservation's history. Append-only by trigger.

    ``fault`` is a value of ``booking.rules.leaving.Fault`` where the customer did something wrong with it, by what held then; empty:
    nothing. None: it was not noted, as before there was such a column. ``passed_over``: the codes of the lab's rules in spite of which
    its own people booked or moved it, whose reason is ``reason``; None: none, or it was not noted apart from the reason.
    """

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="transitions")
    action = models.CharField(max_length=20)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.TextField(blank=True)
    fault = models.CharField(max_length=20, null=True)
    passed_over = ArrayField(models.CharField(max_length=60), null=True)

    class Meta:
        indexes = [models.Index(fields=["reservation", "id"], name="transition_by_reservation")]
        triggers = [append_only("transition_append_only"), no_truncate("transition_no_truncate")]
