"""What people see of research groups and fund cards, and what decides whether somebody may spend."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import NotFound
from instruments.access import keeps_groups
from instruments.models import FundCard, GroupMember, ResearchGroup, SpendingRules
from instruments.rules.spending import CardTerms


def today(now: datetime) -> date:
    """The platform's day: from when and until when a member spends is counted in it."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def groups_visible(actor: Actor) -> QuerySet[ResearchGroup]:
    """Groups with organisation and leader; open ones first, by name. ``people`` and ``open_cards`` are counted."""
    rows = ResearchGroup.objects.select_related("organisation", "leader")
    rows = rows.annotate(
        people=Count("members", distinct=True), open_cards=Count("cards", filter=Q(cards__closed_at=None), distinct=True)
    )
    return visible_to(rows, actor).order_by(F("closed_at").asc(nulls_first=True), "name", "pk")


def group_for(actor: Actor, group_id: int) -> ResearchGroup:
    """One group. Raises NotFound."""
    return get_visible(ResearchGroup.objects.select_related("organisation", "leader"), actor, pk=group_id)


def members_visible(actor: Actor, group: ResearchGroup) -> QuerySet[GroupMember]:
    """The people of a group, those who came first before others."""
    rows = GroupMember.objects.filter(group=group).select_related("user")
    return visible_to(rows, actor).order_by("from_on", "pk")


def cards_visible(actor: Actor) -> QuerySet[FundCard]:
    """Cards with their group; open ones first, by number."""
    rows = FundCard.objects.select_related("group", "organisation")
    return visible_to(rows, actor).order_by(F("closed_at").asc(nulls_first=True), "number", "pk")


def card_for(actor: Actor, card_id: int) -> FundCard:
    """One card with its group. Raises NotFound."""
    return get_visible(FundCard.objects.select_related("group", "organisation"), actor, pk=card_id)


def may_keep(actor: Actor, group: ResearchGroup) -> bool:
    """Whether the actor changes the group and its cards."""
    return keeps_groups(actor, group.organisation)


def may_add(actor: Actor, group: ResearchGroup) -> bool:
    """Whether the actor says who spends for the group: who keeps it, and its leader."""
    return group.leader_id == actor.user_id or may_keep(actor, group)


def sees_card(actor: Actor, card_id: int) -> bool:
    """Whether number, days and money of the card are the actor's to know; a lab of another organisation only hears that it
    cannot pay (``card.cannot_pay``)."""
    return visible_to(FundCard.objects.all(), actor).filter(pk=card_id).exists()


def spent_by(person_id: int, on: date) -> QuerySet[FundCard]:
    """The cards of the groups for which a person spends on a day, as leader or member."""
    member = GroupMember.objects.filter(user_id=person_id, from_on__lte=on).filter(Q(until_on=None) | Q(until_on__gte=on))
    return FundCard.objects.filter(Q(group__leader_id=person_id) | Q(group_id__in=member.values("group_id")))


def card_to_spend(actor: Actor, card_id: int, now: datetime) -> FundCard:
    """A card with its group and leader, for a person who spends for the group today. Raises NotFound for every other card."""
    card = spent_by(actor.person_id, today(now)).filter(pk=card_id, organisation_id__in=actor.organisations())
    found = card.select_related("group__leader").first()
    if found is None:
        raise NotFound.of("access.not_found", model="fundcard")
    return found


def cards_to_choose(actor: Actor, organisation_id: int, now: datetime, first_day: date, last_day: date) -> list[FundCard]:
    """The cards that the actor may name for a session on these days for the organisation, by number."""
    if organisation_id not in actor.organisations():
        return []
    rows = spent_by(actor.person_id, today(now)).filter(
        organisation_id=organisation_id,
        closed_at=None,
        group__closed_at=None,
        valid_from__lte=first_day,
        valid_until__gte=last_day,
    )
    return list(visible_to(rows.select_related("group__leader"), actor).order_by("number", "pk"))


def card_needed(organisation_id: int) -> bool:
    """Whether an owner asks its own people for a fund card."""
    return SpendingRules.objects.filter(organisation_id=organisation_id, card_needed=True).exists()


def terms_of(card: FundCard) -> CardTerms:
    """The card as the rules judge it; ``card`` comes with its group."""
    closed, group_closed = card.closed_at is not None, card.group.closed_at is not None
    return CardTerms(card.number, card.organisation_id, card.valid_from, card.valid_until, closed, group_closed)
