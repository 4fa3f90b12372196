"""Research groups: who leads them, who spends for them and since when, and what an owner asks of its own people."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.access import keeps_groups
from instruments.models import GroupMember, Membership, Organisation, ResearchGroup, SpendingRules
from instruments.ports import leader_changed
from instruments.rules.names import clean_name
from instruments.services.organisations import lock_organisation, locked

NAME_LENGTH = 200
MOST_FEN = 100_000_000_000


@whole
def create_group(
    actor: Actor, organisation_id: int, name: str, leader_id: int, threshold_fen: int | None, now: datetime
) -> ResearchGroup:
    """A new group of an organisation that the actor administers (or accounts for).

    Raises NotFound, Forbidden ``group.not_yours``, Refusal ``name.*`` / ``group.name_taken`` (``name``), ``group.not_a_colleague``
    (``leader``), ``group.threshold_out_of_range`` (``threshold_fen``).
    """
    organisation = _locked_organisation(actor, organisation_id)
    name = clean_name(name, NAME_LENGTH)
    _refuse_wrong(organisation.pk, name, leader_id, threshold_fen)
    group = ResearchGroup.objects.create(
        organisation=organisation, name=name, leader_id=leader_id, threshold_fen=threshold_fen, created_at=now
    )
    audit.record(actor, "group.create", group, now, after=_facts(group))
    return group


@whole
def change_group(
    actor: Actor, group_id: int, name: str, leader_id: int, threshold_fen: int | None, now: datetime
) -> ResearchGroup:
    """Name, leader and threshold. What waits for the leader waits for the new one, who is told. Raises as ``create_group``."""
    group = locked_group(actor, group_id)
    _require_keeper(actor, group)
    name = clean_name(name, NAME_LENGTH)
    _refuse_wrong(group.organisation_id, name, leader_id, threshold_fen, group)
    before = _facts(group)
    group.name, group.leader_id, group.threshold_fen = name, leader_id, threshold_fen
    group.save(update_fields=["name", "leader", "threshold_fen"])
    audit.record(actor, "group.change", group, now, before=before, after=_facts(group))
    if before["leader_id"] != leader_id:
        leader_changed(group.pk, now)
    return group


@whole
def set_closed(actor: Actor, group_id: int, closed: bool, now: datetime) -> ResearchGroup:
    """Close a group, or open it again. A closed group spends nothing more; what is approved goes on.

    Raises NotFound, Forbidden, Refusal ``group.not_a_colleague`` (``leader``): whoever led it has left, and another leader is named
    first.
    """
    group = locked_group(actor, group_id)
    _require_keeper(actor, group)
    if (group.closed_at is not None) != closed:
        if not closed and not _is_colleague(group.organisation_id, group.leader_id):
            raise Refusal.of("group.not_a_colleague", field="leader")
        before = _facts(group)
        group.closed_at = now if closed else None
        group.save(update_fields=["closed_at"])
        audit.record(actor, "group.close" if closed else "group.reopen", group, now, before=before, after=_facts(group))
    return group


@whole
def set_member(actor: Actor, group_id: int, user_id: int, from_on: date, until_on: date | None, now: datetime) -> GroupMember:
    """Let a colleague spend for the group on these days (both included); the leader may do so too.

    Raises NotFound, Forbidden ``group.not_yours``, Refusal ``group.not_a_colleague`` / ``group.leader_is_in`` (``user``),
    ``group.days_in_order`` (``until_on``).
    """
    group = locked_group(actor, group_id)
    _require_keeper_or_leader(actor, group)
    reasons = []
    if until_on is not None and until_on < from_on:
        reasons.append(Reason("group.days_in_order", {}, "until_on"))
    if user_id == group.leader_id:
        reasons.append(Reason("group.leader_is_in", {}, "user"))
    if not _is_colleague(group.organisation_id, user_id):
        reasons.append(Reason("group.not_a_colleague", {}, "user"))
    Refusal.raise_any(reasons)
    found = GroupMember.objects.filter(group=group, user_id=user_id).first()
    before = _days(found) if found else {}
    member, _created = GroupMember.objects.update_or_create(
        group=group,
        user_id=user_id,
        defaults={"from_on": from_on, "until_on": until_on},
        create_defaults={"from_on": from_on, "until_on": until_on, "created_at": now},
    )
    audit.record(actor, "group.member", group, now, before=before, after=_days(member))
    return member


@whole
def remove_member(actor: Actor, group_id: int, user_id: int, now: datetime) -> None:
    """Nothing more is booked by that person for the group; what is booked stays. Anybody may leave by themselves.

    Raises NotFound (no such group or member), Forbidden ``group.not_yours``.
    """
    group = locked_group(actor, group_id)
    if user_id != actor.user_id:
        _require_keeper_or_leader(actor, group)
    member = get_visible(GroupMember.objects.filter(group=group), actor, user_id=user_id)
    before = _days(member)
    member.delete()
    audit.record(actor, "group.member_removed", group, now, before=before)


@whole
def set_card_needed(actor: Actor, organisation_id: int, needed: bool, now: datetime) -> SpendingRules:
    """Whether an owner's own people book its instruments with a fund card only. Raises NotFound, Forbidden."""
    organisation = _locked_organisation(actor, organisation_id)
    rules, _created = SpendingRules.objects.get_or_create(organisation=organisation)
    if rules.card_needed != needed:
        before = {"card_needed": rules.card_needed}
        rules.card_needed = needed
        rules.save(update_fields=["card_needed"])
        audit.record(actor, "spending.card_needed", organisation, now, before=before, after={"card_needed": needed})
    return rules


def leave_groups(organisation: Organisation, user_id: int, actor: Actor, now: datetime) -> None:
    """Whoever leaves the (locked) organisation spends nothing more for its groups; part of the caller's transaction.

    Raises Refusal ``group.leader_leaves`` while the person leads an open group.
    """
    led = ResearchGroup.objects.select_for_update(no_key=True).filter(
        organisation=organisation, leader_id=user_id, closed_at=None
    )
    names = [group.name for group in led.order_by("pk")]
    if names:
        raise Refusal.of("group.leader_leaves", groups=names)
    for member in GroupMember.objects.select_related("group").filter(group__organisation=organisation, user_id=user_id):
        before, group = _days(member), member.group
        member.delete()
        audit.record(actor, "group.member_removed", group, now, before=before)


def _locked_organisation(actor: Actor, organisation_id: int) -> Organisation:
    organisation = locked(actor, organisation_id)
    if not keeps_groups(actor, organisation):
        raise Forbidden.of("group.not_yours")
    return organisation


def locked_group(actor: Actor, group_id: int) -> ResearchGroup:
    """The group behind its organisation's lock: names and numbers that stand once there, and its people, stay as they are read.

    Part of the caller's transaction. Raises NotFound.
    """
    lock_organisation(get_visible(ResearchGroup.objects.all(), actor, pk=group_id).organisation_id)
    rows = ResearchGroup.objects.select_related("organisation").select_for_update(of=("self",), no_key=True)
    return get_visible(rows, actor, pk=group_id)


def _require_keeper(actor: Actor, group: ResearchGroup) -> None:
    if not keeps_groups(actor, group.organisation):
        raise Forbidden.of("group.not_yours")


def _require_keeper_or_leader(actor: Actor, group: ResearchGroup) -> None:
    if group.leader_id != actor.user_id:
        _require_keeper(actor, group)


def _refuse_wrong(
    organisation_id: int, name: str, leader_id: int, threshold_fen: int | None, group: ResearchGroup | None = None
) -> None:
    reasons = []
    others = ResearchGroup.objects.filter(organisation_id=organisation_id, name=name)
    if (others.exclude(pk=group.pk) if group else others).exists():
        reasons.append(Reason("group.name_taken", {"name": name}, "name"))
    if not _is_colleague(organisation_id, leader_id):
        reasons.append(Reason("group.not_a_colleague", {}, "leader"))
    reasons += threshold_faults(threshold_fen)
    Refusal.raise_any(reasons)


def threshold_faults(threshold_fen: int | None) -> list[Reason]:
    """What is wrong with a threshold: it lies between nothing and a thousand million yuan."""
    if threshold_fen is not None and not 0 <= threshold_fen <= MOST_FEN:
        return [Reason("group.threshold_out_of_range", {}, "threshold_fen")]
    return []


def _is_colleague(organisation_id: int, user_id: int) -> bool:
    return Membership.objects.filter(organisation_id=organisation_id, user_id=user_id, user__is_active=True).exists()


def _facts(group: ResearchGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "leader_id": group.leader_id,
        "threshold_fen": group.threshold_fen,
        "closed": group.closed_at is not None,
    }


def _days(member: GroupMember) -> dict[str, Any]:
    until = member.until_on.isoformat() if member.until_on else None
    return {"user_id": member.user_id, "from_on": member.from_on.isoformat(), "until_on": until}
