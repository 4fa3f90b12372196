"""What is used in a session besides its time (consumables, add-ons): chosen by the customer when booking, or proposed by the lab at
close-out and charged with the customer's yes."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from booking.rules.samples import ExtraState
from config.kernel.models.guards import no_truncate

#: Nothing is added to a session, and nothing of it answered, once it is charged.
_BEFORE_THE_CHARGE = """
PERFORM 1 FROM billing_charge c WHERE c.reservation_id = NEW.reservation_id;
IF FOUND THEN
    RAISE EXCEPTION 'the session is charged already' USING ERRCODE = '23514', CONSTRAINT = 'session_extra_before_charge';
END IF;
RETURN NEW;
"""


#: Answered once. What the customer chose when booking, and what a signed order says, is agreed from the first and may be taken back.
_ANSWERED_ONCE = """
IF OLD.state = 'proposed' THEN
    RETURN NEW;
END IF;
IF OLD.state = 'agreed' AND NEW.state = 'withdrawn' THEN
    IF OLD.chosen THEN
        RETURN NEW;
    END IF;
    PERFORM 1 FROM billing_commissioncharge c WHERE c.session_extra_id = OLD.id;
    IF FOUND THEN
        RETURN NEW;
    END IF;
END IF;
RAISE EXCEPTION 'Cannot update rows from %: it is answered already', TG_TABLE_NAME
    USING ERRCODE = '23514', CONSTRAINT = 'session_extra_answered_once';
"""


class SessionExtra(models.Model):
    """``quantity`` at ``rate_fen`` each (fen). ``addon`` is the code of the price's own add-on, whose rate of the customer's class it then
    has, and its names in ``words`` and ``words_en`` as they were; empty for what the lab words itself. ``chosen``: by the customer when
    booking, and so agreed from the first; it may be withdrawn until the charge. What a signed order says (``by_order``) is agreed by who
    signed it for the customer, since then. Only what is agreed is ever charged; what nobody answered when time agreed the use is withdrawn,
    with no one in ``answered_by``.
    """

    reservation = models.ForeignKey("booking.Reservation", on_delete=models.PROTECT, related_name="extras")
    addon = models.CharField(max_length=40, blank=True)
    words = models.CharField(max_length=300)
    words_en = models.CharField(max_length=300, blank=True, default="", db_default="")
    quantity = models.PositiveIntegerField()
    rate_fen = models.BigIntegerField()
    amount_fen = models.BigIntegerField()
    chosen = models.BooleanField(default=False)
    state = models.CharField(
        max_length=10, choices=[(each.value, each.value) for each in ExtraState], default=ExtraState.PROPOSED.value
    )
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, quantity__gt=0, amount_fen=F("quantity") * F("rate_fen")),
                name="session_extra_is_quantity_times_rate",
            ),
            models.CheckConstraint(
                condition=Q(chosen=False) | (Q(state__in=[ExtraState.AGREED.value, ExtraState.WITHDRAWN.value]) & ~Q(addon="")),
                name="session_extra_chosen_of_the_price",
            ),
            models.CheckConstraint(
                condition=Q(state=ExtraState.PROPOSED.value, answered_at__isnull=True)
                | (~Q(state=ExtraState.PROPOSED.value) & Q(answered_at__isnull=False)),
                name="session_extra_answered",
            ),
            models.CheckConstraint(
                condition=~Q(state=ExtraState.AGREED.value)
                | Q(chosen=True, answered_by__isnull=False, answered_by=F("proposed_by"))
                | (Q(chosen=False, answered_by__isnull=False) & ~Q(answered_by=F("proposed_by"))),
                name="session_extra_agreed_by_another",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="session_extra_frozen", exclude=["state", "answered_by", "answered_at"]),
            pgtrigger.Trigger(
                name="session_extra_answered_once",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_ANSWERED_ONCE,
            ),
            pgtrigger.Protect(name="session_extra_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="session_extra_before_charge",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_BEFORE_THE_CHARGE,
            ),
            no_truncate("session_extra_no_truncate"),
        ]
