"""Reads of announcements, applications and vouchers that pages and API share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from billing.ledger.models import Account, Transfer
from billing.ledger.queries import VERY_MANY
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.programme import Programme
from billing.subsidy.services import in_force
from billing.vouchers.models import ApplicationState, Voucher, VoucherAnnouncement, VoucherApplication
from billing.vouchers.rules.backing import VOUCHER, is_issued
from config.kernel.access import Actor, Role, get_visible, visible_to
from instruments.models import Organisation

ISSUED_BY = (Role.PROGRAMME_OFFICER, Role.FINANCE)
WAITING = (ApplicationState.APPLIED, ApplicationState.REVIEWED)


def announcement_state(row: VoucherAnnouncement, on: date) -> str:
    """draft, future, current or ended, by its window of applications."""
    if row.published_at is None:
        return "draft"
    if on < row.opens_on:
        return "future"
    return "current" if on <= row.closes_on else "ended"


def announcements(actor: Actor) -> QuerySet[VoucherAnnouncement]:
    """Those the actor may see, the latest window first."""
    rows = visible_to(VoucherAnnouncement.objects.all(), actor).select_related("programme")
    return rows.prefetch_related("quotas__account").order_by("-closes_on", "-pk")


def announcement_for(actor: Actor, pk: int) -> VoucherAnnouncement:
    """One announcement with its quotas. Raises NotFound."""
    rows = VoucherAnnouncement.objects.select_related("programme", "author", "approver").prefetch_related("quotas__account")
    return get_visible(rows, actor, pk=pk)


def applications(actor: Actor) -> QuerySet[VoucherApplication]:
    """Those the actor may see, what waits first, the oldest of them first."""
    rows = visible_to(VoucherApplication.objects.all(), actor)
    return rows.select_related("organisation", "announcement__programme", "quota").order_by("decided_at", "applied_at", "pk")


def waiting(actor: Actor) -> QuerySet[VoucherApplication]:
    """What waits for an officer or finance, the oldest first. Raises Forbidden."""
    actor.require(*ISSUED_BY)
    return applications(actor).filter(state__in=WAITING)


def application_for(actor: Actor, pk: int) -> VoucherApplication:
    """One application. Raises NotFound."""
    related = ("organisation", "announcement__programme", "quota__account", "evidence", "applied_by", "reviewed_by", "decided_by")
    return get_visible(VoucherApplication.objects.select_related(*related), actor, pk=pk)


@dataclass(frozen=True, slots=True)
class Purse:
    """A voucher with what happened to it. ``state``: valid, future, expired, returned, used. Amounts in fen."""

    voucher: Voucher
    state: str
    left_fen: int
    held_fen: int
    spent_fen: int


@dataclass(frozen=True, slots=True)
class CapUsed:
    """A limit of the firm's own in a programme, as far as it is used; ``year`` is empty for one of all time. ``limit_fen`` None: no
    limit of its own."""

    programme: str
    kind: str
    year: str
    limit_fen: int | None
    used_fen: int

    @property
    def left_fen(self) -> int | None:
        return None if self.limit_fen is None else max(0, self.limit_fen - self.used_fen)


def vouchers(actor: Actor) -> QuerySet[Voucher]:
    """Those the actor may see, what ends first first."""
    rows = visible_to(Voucher.objects.all(), actor)
    return rows.select_related("account", "programme", "organisation", "origin").order_by("valid_to", "pk")


def purse(voucher: Voucher, on: date) -> Purse:
    """A voucher (its account loaded) as it stands on a day."""
    account = voucher.account
    return Purse(voucher, _state(voucher, account, on), account.left_fen, account.held_fen, account.posted_fen)


def _state(voucher: Voucher, account: Account, on: date) -> str:
    if voucher.returned_at is not None:
        return "returned"
    if on > voucher.valid_to:
        return "expired"
    if on < voucher.valid_from:
        return "future"
    return "valid" if account.left_fen or account.held_fen else "used"


def holder(actor: Actor, organisation_id: int) -> Organisation:
    """The organisation whose wallet is opened: by who books for it, and by who supervises or pays. Raises NotFound, Forbidden."""
    found = get_visible(Organisation.objects.filter(kind__in=("firm", "team")), actor, pk=organisation_id)
    if not actor.has(Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR):
        actor.require_in(found.pk, Role.RESEARCHER, Role.FIRM_ADMIN)
    return found


def wallet(actor: Actor, organisation: Organisation, on: date) -> tuple[list[Purse], list[CapUsed]]:
    """The vouchers of an organisation and the limits it has used, but for those of single orders and contracts; two queries."""
    own = [purse(each, on) for each in vouchers(actor).filter(organisation=organisation)]
    rows = visible_to(Account.objects.filter(organisation=organisation, programme__isnull=False), actor)
    limits = rows.exclude(kind__in=(VOUCHER, "awarded", *VERY_MANY)).filter(
        Q(limited=True) | Q(held_fen__gt=0) | Q(posted_fen__gt=0)
    )
    caps = [
        CapUsed(
            programme=row.programme.code if row.programme else "",
            kind=row.kind,
            year=row.key.rpartition(":")[2] if row.kind.endswith("_year") else "",
            limit_fen=row.granted_fen if row.limited else None,
            used_fen=row.held_fen + row.posted_fen,
        )
        for row in limits.select_related("programme").order_by("programme__code", "-key")
    ]
    return own, caps


def uses(actor: Actor, voucher: Voucher) -> QuerySet[Transfer]:
    """The movements on a voucher, the latest first."""
    rows = visible_to(Transfer.objects.all(), actor).filter(Q(debit=voucher.account_id) | Q(credit=voucher.account_id))
    return rows.select_related("actor", "programme_version").order_by("-pk")


def voucher_for(actor: Actor, pk: int) -> Voucher:
    """One voucher with its account. Raises NotFound."""
    related = ("account", "programme", "organisation", "origin", "application__announcement")
    return get_visible(Voucher.objects.select_related(*related), actor, pk=pk)


def issuable(actor: Actor) -> list[tuple[Programme, str]]:
    """The caps that vouchers can be issued for: (the newest published programme, id of the cap); one query."""
    newest: dict[int, int] = {}
    rows = visible_to(ProgrammeVersion.objects.filter(published_at__isnull=False), actor).order_by("valid")
    for version_id, programme_id in rows.values_list("pk", "programme_id"):
        newest[programme_id] = version_id
    found = [in_force(version_id).programme for version_id in newest.values()]
    return sorted(
        ((one, cap.id) for one in found for cap in one.caps if is_issued(cap)), key=lambda each: (each[0].code, each[1])
    )
