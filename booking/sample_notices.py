"""What is told about sample jobs, to the side that did not do it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from booking.sample_wording import REMAINS
from instruments.notice_events import Event, Group, Params, Words, register_events, register_groups

register_groups(
    {"samples": Group(_("Sample jobs"), _("Samples on their way, promised days, charges to agree to, reports."), place=16)}
)

_WHAT = _("%(test_item)s, %(samples)s samples, for %(organisation)s")
_PROMISED = _("Promised: %(promised_on)s")
_WHY = _("Reason: %(reason)s")
_CHARGE = _("%(words)s: %(amount_fen)s")


def _event(title: Any, name: Any, *lines: Any, icon: str = "flask", public: bool = True, **more: Any) -> Event:
    return Event("samples", title, (_WHAT, *lines), icon, name=name, public=public, **more)


def _remains(params: Params) -> Words:
    title = _("Sample job %(reference)s: what is left of samples: %(remains)s") % {
        "reference": params["reference"],
        "remains": REMAINS.get(params["remains"], params["remains"]),
    }
    return Words(str(title))


_OVERDUE = _event(
    _("Sample job %(reference)s waits longer than promised for your answer"),
    _("Sample job waits longer than promised"),
    _("Nobody has answered. Accept it with its promised day, or refuse it with a reason."),
    _("Expected at the lab: %(arrive_on)s"),
    icon="clock-pause",
    public=False,
    needs_action=True,
)

register_events(
    {
        "sample_job.asked": _event(
            _("Sample job %(reference)s waits for your answer"),
            _("Sample job asked for"),
            _("Expected at the lab: %(arrive_on)s"),
            _PROMISED,
            needs_action=True,
        ),
        "sample_job.overdue": _OVERDUE,
        "sample_job.overdue_for_heads": replace(
            _OVERDUE, needs_action=False, name=_("Sample job waits longer than promised (heads)")
        ),
        "sample_job.late_to_lab": _event(
            _("Sample job %(reference)s: the promised day has passed"),
            _("Promised day has passed (lab)"),
            _PROMISED,
            _("Hand in the report. The customer has been told that it comes later."),
            icon="clock-pause",
            needs_action=True,
        ),
        "sample_job.late_to_customer": _event(
            _("Sample job %(reference)s: the result is late"),
            _("Promised day has passed (customer)"),
            _PROMISED,
            _("The lab has your samples and has not reported yet. It has been reminded; you hear when the report is there."),
            icon="clock-pause",
        ),
        "sample_job.leader_asked": _event(
            _("Sample job %(reference)s: %(person)s asks you to agree to %(amount_fen)s"),
            _("Samples that a group's leader agrees to"),
            _("Fund card: %(card)s"),
            icon="coins",
            public=False,
            needs_action=True,
        ),
        "sample_job.leader_agreed": _event(
            _("Sample job %(reference)s: the leader of your group agrees"),
            _("The group's leader agrees to samples"),
            icon="circle-check",
        ),
        "sample_job.leader_declined": _event(
            _("Sample job %(reference)s: the leader of your group does not agree"),
            _("The group's leader does not agree to samples"),
            _WHY,
            icon="circle-x",
        ),
        "sample_job.figures_changed": _event(
            _("Sample job %(reference)s: other figures, please look again"),
            _("Sample job with other figures"),
            _("The subsidy that was quoted is no longer available in full. Accept the new figures, or cancel."),
            needs_action=True,
        ),
        "sample_job.figures_accepted": _event(
            _("Sample job %(reference)s: the customer accepts the new figures"),
            _("New figures of a sample job accepted"),
            _("You can accept the job now."),
        ),
        "sample_job.linked_to_lab": _event(
            _("Sample job %(reference)s has the price of a commission now"),
            _("Sample job under a commission (lab)"),
            _("Commission sheet: %(sheet)s"),
        ),
        "sample_job.linked_to_customer": _event(
            _("Sample job %(reference)s: a colleague put it under a commission"),
            _("Sample job under a commission (customer)"),
            _("Commission sheet: %(sheet)s"),
        ),
        "sample_job.accepted": _event(
            _("Sample job %(reference)s is accepted: send the samples"), _("Sample job accepted"), _PROMISED
        ),
        "sample_job.refused": _event(_("Sample job %(reference)s is not accepted"), _("Sample job not accepted"), _WHY),
        "sample_job.cancelled_to_lab": _event(
            _("Sample job %(reference)s is cancelled by the customer"), _("Sample job cancelled by the customer"), _WHY
        ),
        "sample_job.cancelled_to_customer": _event(
            _("Sample job %(reference)s is called off by the lab"), _("Sample job called off by the lab"), _WHY
        ),
        "sample_job.unsent": _event(
            _("Sample job %(reference)s: no sample has come to the lab"),
            _("Samples that did not come"),
            _("The job ends by itself on %(ends_on)s. Send the samples before that, or cancel it."),
        ),
        "sample_job.lapsed_to_lab": _event(
            _("Sample job %(reference)s has ended by itself"),
            _("Sample job ended by itself (lab)"),
            _("It was not answered, or nothing was sent, in time. Its days are free again."),
        ),
        "sample_job.lapsed_to_customer": _event(
            _("Sample job %(reference)s has ended by itself"),
            _("Sample job ended by itself (customer)"),
            _("It was not answered, or nothing was sent, in time. Nothing is charged. Ask again if you still need it."),
        ),
        "sample_job.received": _event(_("Sample job %(reference)s: samples have come"), _("Samples received"), _PROMISED),
        "sample_job.later": _event(
            _("Sample job %(reference)s: the result comes later"),
            _("Other promised day"),
            _("The samples came later than expected."),
            _PROMISED,
        ),
        "sample_job.promise_moved": _event(
            _("Sample job %(reference)s: the lab promises the result for a later day"),
            _("Promised day moved by the lab"),
            _("Promised now: %(promised_on)s, before: %(before_on)s"),
            _WHY,
            icon="calendar-event",
        ),
        "sample_job.unfit": _event(_("Sample job %(reference)s: samples cannot be tested"), _("Samples unfit or lost"), _WHY),
        "sample_job.failed": _event(
            _("Sample job %(reference)s has ended: no sample could be tested"), _("No sample could be tested"), _WHY
        ),
        "sample_job.extra_proposed": _event(
            _("Sample job %(reference)s: the lab asks for your consent to a charge"),
            _("Charge to agree to"),
            _CHARGE,
            _("Nothing is charged without your yes."),
            needs_action=True,
        ),
        "sample_job.extra_by_order": _event(
            _("Sample job %(reference)s: the lab charges what was agreed in %(sheet)s"),
            _("Something charged with samples as a commission says"),
            _CHARGE,
        ),
        "sample_job.extra_agreed": _event(_("Sample job %(reference)s: charge agreed"), _("Charge agreed"), _CHARGE),
        "sample_job.extra_declined": _event(_("Sample job %(reference)s: charge declined"), _("Charge declined"), _CHARGE),
        "sample_job.extra_withdrawn": _event(_("Sample job %(reference)s: charge withdrawn"), _("Charge withdrawn"), _CHARGE),
        "sample_job.reported": _event(
            _("Sample job %(reference)s: the report is there"),
            _("Report of a sample job"),
            _("It closes by itself at %(close_due_at)s unless you object."),
            needs_action=True,
        ),
        "sample_job.objected": _event(
            _("Sample job %(reference)s: the customer objects to the report"), _("Objection to a report"), _WHY, needs_action=True
        ),
        "sample_job.closed_to_lab": _event(_("Sample job %(reference)s is closed and charged"), _("Sample job closed (lab)")),
        "sample_job.closed_to_customer": _event(
            _("Sample job %(reference)s is closed and charged"), _("Sample job closed (customer)")
        ),
        "sample_job.parcel_to_lab": _event(
            _("Sample job %(reference)s: a parcel is on its way to you"), _("Parcel to the lab"), _("%(carrier)s %(number)s")
        ),
        "sample_job.parcel_to_customer": _event(
            _("Sample job %(reference)s: a parcel is on its way back"), _("Parcel back"), _("%(carrier)s %(number)s")
        ),
        "sample_job.remains": Event(
            "samples",
            _("Sample job %(reference)s"),
            (_WHAT,),
            "flask",
            public=True,
            name=_("Remains of samples"),
            compose=_remains,
        ),
    }
)
