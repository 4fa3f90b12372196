"""Money that came in, which bills it was given to, what went back, and what is under way at a payment provider."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.bills.guards import insert, written_off_within
from billing.ordering.guards import frozen_by_state
from billing.payments import guards
from billing.payments.hand_models import HandEntry
from billing.payments.rules.states import (
    CHECKOUT_NEXT,
    DISPUTE_NEXT,
    EVENT_NEXT,
    LIVE,
    REFUND_NEXT,
    CheckoutState,
    DisputeState,
    EventState,
    RefundState,
)
from config.kernel.models.guards import append_only, no_truncate

_NEVER = ("id",)


class Method(models.TextChoices):
    BANK = "bank"
    STRIPE = "stripe"
    HAND = "hand"


#: Those that a checkout and news may be of.
_PROVIDERS = [(each.value, each.label) for each in (Method.BANK, Method.STRIPE)]


class BankStatement(models.Model):
    """A bank's list of movements that was taken in, whole or not at all; the file itself is kept. Append-only.

    Of its ``row_count`` rows ``taken_count`` were money that came in and was new, ``known_count`` had been taken in before,
    ``outgoing_count`` went out and are left alone. ``layout`` is a code of ``billing.payments.rules.bank_rows.LAYOUTS``.
    """

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    layout = models.CharField(max_length=30)
    row_count = models.PositiveIntegerField()
    taken_count = models.PositiveIntegerField()
    known_count = models.PositiveIntegerField()
    outgoing_count = models.PositiveIntegerField()
    taken_fen = models.BigIntegerField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "sha256"], name="bank_statement_once")]
        indexes = [models.Index(fields=["owner", "-imported_at"], name="bank_statement_by_owner")]
        triggers = [append_only("bank_statement_append_only"), no_truncate("bank_statement_no_truncate")]


class Checkout(models.Model):
    """One attempt to pay at a provider what is open of a ``bill``, or (without one) money that ``owner`` keeps as prepaid for
    ``customer``. ``key`` is written down before the provider is asked, so that asking again is the same asking; ``amount_fen`` is ours and
    never changes. ``url`` is where the customer pays."""

    bill = models.ForeignKey("billing.Bill", null=True, on_delete=models.PROTECT, related_name="checkouts")
    owner = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20, choices=_PROVIDERS)
    attempt = models.PositiveIntegerField()
    key = models.CharField(max_length=100, unique=True)
    amount_fen = models.BigIntegerField()
    state = models.CharField(max_length=20, default=CheckoutState.ASKED.value)
    session_ref = models.CharField(max_length=255, null=True, unique=True)
    intent_ref = models.CharField(max_length=255, null=True, unique=True)
    url = models.CharField(max_length=2000, blank=True)
    note = models.CharField(max_length=100, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bill", "attempt"], name="checkout_attempt_once"),
            models.UniqueConstraint(
                fields=["bill"], condition=Q(state__in=[each.value for each in LIVE]), name="checkout_one_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["owner", "customer"],
                condition=Q(bill__isnull=True, state__in=[each.value for each in LIVE]),
                name="checkout_one_deposit_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(bill__isnull=False, owner__isnull=True, customer__isnull=True)
                | Q(bill__isnull=True, owner__isnull=False, customer__isnull=False) & ~Q(owner=F("customer")),
                name="checkout_of_bill_or_deposit",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="checkout_positive"),
            models.CheckConstraint(condition=Q(state__in=[each.value for each in CheckoutState]), name="checkout_state_known"),
        ]
        triggers = [
            frozen_by_state(
                "checkout_forward",
                CHECKOUT_NEXT,
                {each.value: ("state", "session_ref", "intent_ref", "url", "note", "changed_at") for each in CheckoutState},
                ("session_ref", "intent_ref"),
            ),
            pgtrigger.Protect(name="checkout_kept", operation=pgtrigger.Delete),
            no_truncate("checkout_no_truncate"),
        ]

    @property
    def reference(self) -> str:
        """What the customer reads at the provider; it says nothing of anybody."""
        return self.bill.reference if self.bill is not None else self.key.rpartition(":")[2].upper()


class Payment(models.Model):
    """Money that came in for an owner: a row of a bank statement, a checkout that was paid, or what was written down ``by_hand`` and
    confirmed by another person. Append-only.

    Which bills it pays say its allocations, what went back its refunds; the rest is free, of a known customer or of nobody yet.
    ``fingerprint`` tells a row of a statement from every other, so that files that overlap take nothing in twice.
    """

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=10, choices=Method.choices)
    amount_fen = models.BigIntegerField()
    received_on = models.DateField()
    payer_name = models.CharField(max_length=200, blank=True)
    payer_account = models.CharField(max_length=60, blank=True)
    remark = models.CharField(max_length=500, blank=True)
    statement = models.ForeignKey(BankStatement, null=True, on_delete=models.PROTECT, related_name="payments")
    row = models.PositiveIntegerField(null=True)
    fingerprint = models.CharField(max_length=64, null=True)
    checkout = models.OneToOneField(Checkout, null=True, on_delete=models.PROTECT, related_name="payment")
    by_hand = models.OneToOneField(HandEntry, null=True, on_delete=models.PROTECT, related_name="payment")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="payment_positive"),
            models.UniqueConstraint(fields=["owner", "fingerprint"], name="payment_row_once"),
            models.CheckConstraint(
                condition=Q(
                    method="bank", statement__isnull=False, fingerprint__isnull=False, row__isnull=False, checkout__isnull=True
                )
                & Q(by_hand__isnull=True)
                | Q(method="stripe", checkout__isnull=False, statement__isnull=True, fingerprint__isnull=True, row__isnull=True)
                & Q(by_hand__isnull=True)
                | Q(method="hand", checkout__isnull=True, statement__isnull=True, fingerprint__isnull=True, row__isnull=True)
                & Q(by_hand__isnull=False),
                name="payment_has_its_proof",
            ),
        ]
        indexes = [models.Index(fields=["owner", "-received_on", "-id"], name="payment_by_owner")]
        triggers = [
            append_only("payment_append_only"),
            no_truncate("payment_no_truncate"),
            insert("payment_was_confirmed", guards.PAYMENT_WAS_CONFIRMED),
        ]


class Allocation(models.Model):
    """A part of a payment given to a bill; one below zero ``undoes`` an earlier one, wholly or in part. Append-only.

    ``actor`` is None where the platform did it (money of a checkout goes to its bill). ``prepaid``: the prepaid money that was taken for
    the bill and given by this; None where money was given that nobody had kept for the customer."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, related_name="allocations")
    amount_fen = models.BigIntegerField()
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    prepaid = models.OneToOneField("billing.PrepaidEntry", null=True, on_delete=models.PROTECT, related_name="allocation")
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(undoes__isnull=True, amount_fen__gt=0) | (Q(undoes__isnull=False, amount_fen__lt=0) & ~Q(reason="")),
                name="allocation_gives_or_undoes",
            )
        ]
        triggers = [
            append_only("allocation_append_only"),
            no_truncate("allocation_no_truncate"),
            insert("allocation_fits", guards.ALLOCATION_FITS),
            written_off_within("allocation_leaves_write_off"),
        ]


class RefundKind(models.TextChoices):
    """``dispute``: the customer's bank took it back. ``undone``: the money had been written down by hand and was not there."""

    REFUND = "refund"
    DISPUTE = "dispute"
    UNDONE = "undone"


class Refund(models.Model):
    """Money of a payment that went back. Append-only, and by trigger never more than is free. ``provider_ref`` is the provider's name for
    it, empty where the owner transferred it back."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    kind = models.CharField(max_length=10, choices=RefundKind.choices)
    amount_fen = models.BigIntegerField()
    provider_ref = models.CharField(max_length=255, null=True, unique=True)
    reason = models.CharField(max_length=500)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0) & ~Q(reason=""), name="refund_positive")]
        triggers = [
            append_only("refund_append_only"),
            no_truncate("refund_no_truncate"),
            insert("refund_fits", guards.REFUND_FITS),
            insert("refund_undoes_whole", guards.REFUND_UNDOES_WHOLE),
        ]


class RefundRequest(models.Model):
    """A refund that a provider is asked for; ``key`` is written down before it is asked. The money has gone back only with a ``Refund``."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refund_requests")
    key = models.CharField(max_length=100, unique=True)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=10, default=RefundState.ASKED.value)
    provider_ref = models.CharField(max_length=255, null=True, unique=True)
    note = models.CharField(max_length=100, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment"], condition=Q(state="asked"), name="refund_one_at_a_time"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0) & ~Q(reason=""), name="refund_request_positive"),
            models.CheckConstraint(
                condition=Q(state__in=[each.value for each in RefundState]), name="refund_request_state_known"
            ),
        ]
        triggers = [
            frozen_by_state(
                "refund_request_forward",
                REFUND_NEXT,
                {each.value: ("state", "provider_ref", "note") for each in RefundState},
                ("provider_ref",),
            ),
            pgtrigger.Protect(name="refund_request_kept", operation=pgtrigger.Delete),
            no_truncate("refund_request_no_truncate"),
        ]


class Dispute(models.Model):
    """A customer's bank asks for the money of a payment back."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider_ref = models.CharField(max_length=255, unique=True)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=100)
    state = models.CharField(max_length=10, default=DisputeState.OPEN.value)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="dispute_positive"),
            models.CheckConstraint(condition=Q(state__in=[each.value for each in DisputeState]), name="dispute_state_known"),
        ]
        triggers = [
            frozen_by_state(
                "dispute_forward", DISPUTE_NEXT, {each.value: ("state", "changed_at") for each in DisputeState}, _NEVER
            ),
            pgtrigger.Protect(name="dispute_kept", operation=pgtrigger.Delete),
            no_truncate("dispute_no_truncate"),
        ]


class ProviderEvent(models.Model):
    """That a provider told us something, once for each event of its own. Nothing of what it tells is kept but which object it is about: the
    worker asks for the object itself."""

    provider = models.CharField(max_length=20, choices=_PROVIDERS)
    event_ref = models.CharField(max_length=255)
    kind = models.CharField(max_length=100)
    object_ref = models.CharField(max_length=255)
    account_ref = models.CharField(max_length=255, blank=True)
    live = models.BooleanField()
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=15, default=EventState.WAITING.value)
    tries = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=100, blank=True)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_ref"], name="provider_event_once"),
            models.CheckConstraint(condition=Q(state__in=[each.value for each in EventState]), name="provider_event_state_known"),
        ]
        indexes = [models.Index(fields=["state", "received_at"], name="provider_event_by_state")]
        triggers = [
            frozen_by_state(
                "provider_event_forward",
                EVENT_NEXT,
                {each.value: ("state", "tries", "note", "handled_at") for each in EventState},
                _NEVER,
            ),
            pgtrigger.Protect(name="provider_event_kept", operation=pgtrigger.Delete),
            no_truncate("provider_event_no_truncate"),
        ]
