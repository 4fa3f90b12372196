"""Who spends an organisation's own money: research groups, their people, and the fund cards they pay with."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class ResearchGroup(models.Model):
    """People of one organisation who spend together under a leader.

    ``threshold_fen``: what one of them spends above it on one booking, the leader agrees to first (None: the leader is never asked);
    a card may say otherwise. A closed group spends nothing more.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="research_groups")
    name = models.CharField(max_length=200)
    leader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="led_groups")
    threshold_fen = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="research_group_name_once"),
            models.CheckConstraint(
                condition=Q(threshold_fen__isnull=True) | Q(threshold_fen__gte=0), name="research_group_threshold_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """A colleague who spends for the group from ``from_on`` to ``until_on`` (both days included; None: until further notice).

    The leader needs no row. Who comes back gets the same row with new days; the audit trail keeps the old ones.
    """

    group = models.ForeignKey(ResearchGroup, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="group_memberships")
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "user"], name="group_member_once"),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")), name="group_member_days_in_order"
            ),
        ]


class FundCard(models.Model):
    """Money of one project or source that a group may spend on sessions from ``valid_from`` to ``valid_until`` (days included).

    What is on it is counted by billing's ledger. ``threshold_fen`` takes the place of the group's; None leaves the group's.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="fund_cards")
    group = models.ForeignKey(ResearchGroup, on_delete=models.PROTECT, related_name="cards")
    number = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_until = models.DateField()
    threshold_fen = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="fund_card_number_once"),
            models.CheckConstraint(condition=Q(valid_until__gte=F("valid_from")), name="fund_card_days_in_order"),
            models.CheckConstraint(
                condition=Q(threshold_fen__isnull=True) | Q(threshold_fen__gte=0), name="fund_card_threshold_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def asks_above_fen(self) -> int | None:
        """The threshold that counts; None: the leader is never asked."""
        return self.group.threshold_fen if self.threshold_fen is None else self.threshold_fen


class SpendingRules(models.Model):
    """What an owner asks of its own people: ``card_needed``: nobody of it books its instruments without a fund card."""

    organisation = models.OneToOneField(
        "instruments.Organisation", primary_key=True, on_delete=models.PROTECT, related_name="spending_rules"
    )
    card_needed = models.BooleanField(default=False)
