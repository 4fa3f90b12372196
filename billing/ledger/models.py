"""Accounts and transfers: the only place where limited money is counted."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.ledger.top_up_models import TREASURY_GIVES_TO_TWO
from config.kernel.models.guards import append_only, no_truncate


class AccountState(models.TextChoices):
    """``suspended`` promises nothing new and ends what is promised; ``closed`` holds nothing and takes nothing."""

    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Account(models.Model):
    """A purse. All amounts in fen.

    A *limited* account (a programme's pool, a cap per firm and year) keeps its balances in columns, so that CHECK can refuse to
    overspend: ``granted_fen`` came in, ``held_fen`` is promised, ``posted_fen`` is spent; left = granted - held - posted.
    An unlimited account (the treasury, what a payee has earned) has no columns to keep: its balance is the sum of its transfers.

    ``ends_on`` is the last local day on which it may promise anything; what is left after it lapses to ``returns_to`` (None: to
    where limits of its kind come from).
    """

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=30, db_index=True)
    limited = models.BooleanField()
    programme = models.ForeignKey("billing.Programme", null=True, on_delete=models.PROTECT, related_name="accounts")
    organisation = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    granted_fen = models.BigIntegerField(default=0)
    held_fen = models.BigIntegerField(default=0)
    posted_fen = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=AccountState.choices, default=AccountState.OPEN, db_default=AccountState.OPEN)
    ends_on = models.DateField(null=True)
    returns_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="returning")

    class Meta:
        indexes = [models.Index(fields=["ends_on"], condition=Q(ends_on__isnull=False), name="account_by_end")]
        constraints = [
            models.CheckConstraint(condition=~Q(state="closed") | Q(held_fen=0), name="account_closed_holds_nothing"),
            models.CheckConstraint(condition=~Q(returns_to=F("id")), name="account_returns_elsewhere"),
            models.CheckConstraint(
                condition=Q(granted_fen__gte=0, held_fen__gte=0, posted_fen__gte=0), name="account_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(limited=False) | Q(granted_fen__gte=F("held_fen") + F("posted_fen")),
                name="account_never_overspent",
            ),
        ]

    @property
    def left_fen(self) -> int:
        return self.granted_fen - self.held_fen - self.posted_fen

    @property
    def promisable_fen(self) -> int:
        """What is left and can be promised: nothing while it is suspended or closed."""
        return self.left_fen if self.state == AccountState.OPEN else 0


class TransferKind(models.TextChoices):
    """``hold`` is pending until exactly one ``post`` (at most the held amount), ``void`` or ``expire`` ends it.
    ``refund`` takes a part of what was posted back: its credit account is the one that had paid. ``reverse`` takes a part of what was
    granted back: its debit account had been granted it. ``move`` is done at once, between accounts without a limit (what customers
    owe, what came in)."""

    GRANT = "grant"
    HOLD = "hold"
    POST = "post"
    VOID = "void"
    EXPIRE = "expire"
    REVERSE = "reverse"
    REFUND = "refund"
    MOVE = "move"


_ENDS = ["post", "void", "expire"]

_POST_WITHIN_HOLD = """
IF NEW.hold_id IS NOT NULL THEN
    PERFORM 1 FROM billing_transfer h
      WHERE h.id = NEW.hold_id AND h.kind = 'hold' AND h.debit_id = NEW.debit_id AND h.credit_id = NEW.credit_id
        AND NEW.amount_fen <= h.amount_fen;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a hold is ended on its own accounts and by at most its amount' USING ERRCODE = '23514';
    END IF;
END IF;
RETURN NEW;
"""


_ONLY_OPEN = """
IF NEW.kind = 'hold' THEN
    PERFORM 1 FROM billing_account WHERE id = NEW.debit_id AND state <> 'open';
    IF FOUND THEN
        RAISE EXCEPTION 'an account that is not open promises nothing' USING ERRCODE = '23514', CONSTRAINT = 'transfer_only_open';
    END IF;
ELSIF NEW.kind = 'grant' THEN
    PERFORM 1 FROM billing_account WHERE id IN (NEW.debit_id, NEW.credit_id) AND state = 'closed';
    IF FOUND THEN
        RAISE EXCEPTION 'a closed account takes and gives nothing' USING ERRCODE = '23514', CONSTRAINT = 'transfer_only_open';
    END IF;
END IF;
RETURN NEW;
"""


class Transfer(models.Model):
    """One immutable movement of ``amount_fen`` > 0 from the debit to the credit account, with reason and source.

    ``hold`` points from the end of a hold to the hold. ``source_type``/``source_id`` name what caused it (a reservation, a
    programme version). A ``post`` of zero does not exist: nothing due means ``void``.
    """

    kind = models.CharField(max_length=10, choices=TransferKind.choices)
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    amount_fen = models.BigIntegerField()
    hold = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="ends")
    source_type = models.CharField(max_length=30)
    source_id = models.BigIntegerField()
    reason = models.CharField(max_length=100)
    programme_version = models.ForeignKey(
        "billing.ProgrammeVersion", null=True, on_delete=models.PROTECT, related_name="transfers"
    )
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="transfer_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="transfer_two_accounts"),
            models.CheckConstraint(
                condition=Q(kind__in=_ENDS, hold__isnull=False) | (~Q(kind__in=_ENDS) & Q(hold__isnull=True)),
                name="transfer_end_names_hold",
            ),
            models.UniqueConstraint(fields=["hold"], condition=Q(kind__in=_ENDS), name="transfer_hold_ends_once"),
        ]
        indexes = [models.Index(fields=["source_type", "source_id"], name="transfer_by_source")]
        triggers = [
            append_only("transfer_append_only"),
            no_truncate("transfer_no_truncate"),
            pgtrigger.Trigger(
                name="transfer_within_hold",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_POST_WITHIN_HOLD,
            ),
            pgtrigger.Trigger(
                name="transfer_only_open",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_ONLY_OPEN,
            ),
            pgtrigger.Trigger(
                name="transfer_top_up_of_two",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                condition=pgtrigger.Q(new__kind="grant"),
                func=TREASURY_GIVES_TO_TWO,
            ),
        ]


class LedgerSeal(models.Model):
    """One link of the chain over all transfers: ids ``first_id`` to ``last_id``, ``count`` of them.

    ``sha256`` is of the link before it and every transfer in it (``billing.ledger.rules.chain``); ``marks`` holds eight bytes of each
    transfer's own digest, in order, so that a changed one can be named.
    """

    number = models.PositiveIntegerField(unique=True)
    first_id = models.BigIntegerField(unique=True)
    last_id = models.BigIntegerField(unique=True)
    count = models.PositiveIntegerField()
    previous_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)
    marks = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first_id__lte=F("last_id"), count__gt=0), name="seal_in_order"),
            models.UniqueConstraint(fields=["previous_sha256"], name="seal_one_successor"),
        ]
        triggers = [append_only("ledger_seal_append_only"), no_truncate("ledger_seal_no_truncate")]
