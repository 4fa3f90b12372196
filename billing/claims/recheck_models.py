"""Samples of settled claims that inspectors look at again, and what they find."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.claims import guards
from billing.claims.rules.sampling import Method
from config.kernel.models.guards import append_only, no_truncate


class RecheckSample(models.Model):
    """A draw of claims of which all was paid on the local days ``from_on`` to ``until_on`` (included), of a programme or of all.

    ``population`` is what was drawn from ([[claim id, fen], …] by id): with ``method``, ``seed`` and ``size`` or ``share`` (hundredths)
    anybody draws the same again (``rules.sampling``). Append-only.
    """

    number = models.CharField(max_length=40, unique=True)
    programme = models.ForeignKey("billing.Programme", null=True, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    until_on = models.DateField()
    method = models.CharField(max_length=8, choices=[(each.value, each.value) for each in Method])
    seed = models.CharField(max_length=100)
    size = models.PositiveIntegerField(null=True)
    share = models.PositiveSmallIntegerField(null=True)
    population = models.JSONField()
    population_sha256 = models.CharField(max_length=64)
    claim_count = models.PositiveIntegerField()
    claim_fen = models.BigIntegerField()
    drawn_count = models.PositiveIntegerField()
    drawn_fen = models.BigIntegerField()
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(from_on__lte=F("until_on")) & ~Q(seed=""), name="recheck_sample_of_some_days"),
            models.CheckConstraint(
                condition=Q(size__gt=0, share__isnull=True) | Q(size__isnull=True, share__range=(1, 100)),
                name="recheck_sample_size_or_share",
            ),
            models.CheckConstraint(
                condition=Q(drawn_count__gt=0, drawn_count__lte=F("claim_count"), drawn_fen__lte=F("claim_fen")),
                name="recheck_sample_within_claims",
            ),
        ]
        triggers = [
            append_only("recheck_sample_append_only"),
            no_truncate("recheck_sample_no_truncate"),
            guards.sample_is_its_items("recheck_sample_is_its_items", "NEW.id"),
        ]

    def __str__(self) -> str:
        return self.number


class RecheckItem(models.Model):
    """A claim of a sample, in the order in which it was drawn, with what was paid of it. Append-only."""

    sample = models.ForeignKey(RecheckSample, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    claim = models.ForeignKey("billing.Claim", on_delete=models.PROTECT, related_name="recheck_items")
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sample", "position"], name="recheck_item_position"),
            models.UniqueConstraint(fields=["sample", "claim"], name="recheck_item_claim_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="recheck_item_over_something"),
        ]
        triggers = [
            append_only("recheck_item_append_only"),
            no_truncate("recheck_item_no_truncate"),
            guards.sample_is_its_items("recheck_item_is_of_sample", "NEW.sample_id"),
        ]


class Outcome(models.TextChoices):
    CONFIRMED = "confirmed"
    DIFFERENCE = "difference"


class RecheckFinding(models.Model):
    """What an inspector found of a claim: it stands as it was paid, or ``difference_fen`` too much was paid (below nil: too little), and
    why. The latest of an item counts; none is ever changed. By trigger nobody judges what they had a part in."""

    item = models.ForeignKey(RecheckItem, on_delete=models.PROTECT, related_name="findings")
    position = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    difference_fen = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=500, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "position"], name="recheck_finding_position"),
            models.CheckConstraint(
                condition=Q(outcome="confirmed", difference_fen=0)
                | Q(outcome="difference") & ~Q(difference_fen=0) & ~Q(reason=""),
                name="recheck_finding_says_what",
            ),
        ]
        triggers = [
            append_only("recheck_finding_append_only"),
            no_truncate("recheck_finding_no_truncate"),
            guards.insert("recheck_finding_independent", guards.FINDING_INDEPENDENT),
        ]


class RecheckAnswer(models.Model):
    """What the office did about a finding of money paid too much: ``taken_fen`` of it is clawed back (``clawbacks``), nil: nothing comes
    back; and why. Append-only, one of a finding. By trigger nobody answers what they found themselves."""

    finding = models.OneToOneField(RecheckFinding, on_delete=models.PROTECT, related_name="answer")
    taken_fen = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(taken_fen__gte=0) & ~Q(reason=""), name="recheck_answer_says_what"),
        ]
        triggers = [
            append_only("recheck_answer_append_only"),
            no_truncate("recheck_answer_no_truncate"),
            guards.insert("recheck_answer_apart", guards.ANSWER_APART),
            guards.answer_is_its_clawbacks("recheck_answer_is_its_clawbacks", "NEW.id"),
        ]
