"""Announcing vouchers: drafted by one officer, published by another, who thereby funds the quotas."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.ledger import services as ledger
from billing.ledger.life import TREASURY
from billing.ledger.models import Account
from billing.ledger.services import AccountSpec, Source
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules.programme import read_programme
from billing.vouchers.models import VoucherAnnouncement, VoucherQuota
from billing.vouchers.rules.terms import ZONE_LENGTH, Terms, term_faults
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.queries.codes import zones_on
from instruments.services.organisations import require_person

QUOTA = "voucher_quota"
_OWN = ("cap_id", "title", "title_en", "notice", "opens_on", "closes_on", "face_fen", "most_fen", "life_days", "last_on")


@whole
def draft(actor: Actor, programme_code: str, terms: Terms, now: datetime) -> VoucherAnnouncement:
    """Keep an announcement as a draft. Raises Forbidden, NotFound (programme), Refusal with every fault of ``terms``,
    ``voucher.not_published``."""
    actor.require(Role.PROGRAMME_OFFICER)
    programme = get_visible(Programme.objects.all(), actor, code=programme_code)
    Refusal.raise_any([*term_faults(terms, read_programme(_document(programme))), *_unknown_zones(terms)])
    values: dict[str, Any] = {name: getattr(terms, name) for name in _OWN}
    values["title"] = terms.title.strip()
    made = VoucherAnnouncement.objects.create(programme=programme, author_id=require_person(actor), created_at=now, **values)
    VoucherQuota.objects.bulk_create(
        [
            VoucherQuota(announcement=made, zone=area.zone, code_prefix=area.prefix, amount_fen=area.amount_fen)
            for area in terms.areas
        ]
    )
    total = sum(area.amount_fen for area in terms.areas)
    audit.record(
        actor, "voucher.announce", made, now, after={"programme": programme_code, "title": made.title, "total_fen": total}
    )
    return made


def _unknown_zones(terms: Terms) -> list[Reason]:
    """A quota for a zone that does not hold when applications open would be for nobody."""
    known = sorted(zone.slug for zone in zones_on(terms.opens_on))
    return [
        Reason("voucher.zone_unknown", {"text": area.zone[:ZONE_LENGTH], "known": known}, "areas")
        for area in terms.areas
        if area.zone and area.zone not in known
    ]


@whole
def publish(actor: Actor, announcement_id: int, now: datetime) -> VoucherAnnouncement:
    """Open it for applications: by an officer who did not write it. Every quota becomes a limited account, funded whole.

    Raises NotFound, Forbidden, Refusal ``voucher.own_draft``, ``voucher.published_already``.
    """
    actor.require(Role.PROGRAMME_OFFICER)
    found = get_visible(VoucherAnnouncement.objects.all(), actor, pk=announcement_id)
    row = VoucherAnnouncement.objects.select_for_update().get(pk=found.pk)
    if row.published_at is not None:
        raise Refusal.of("voucher.published_already")
    if row.author_id == actor.user_id:
        raise Refusal.of("voucher.own_draft")
    # Published first: the treasury gives nothing to what one person wrote.
    row.approver_id, row.published_at = actor.user_id, now
    row.save(update_fields=["approver", "published_at"])
    for quota in row.quotas.order_by("pk"):
        key = f"{QUOTA}:{row.pk}:{quota.pk}"
        accounts = ledger.open_accounts([AccountSpec(key, QUOTA, 0, row.programme_id), TREASURY], now)
        Account.objects.filter(pk=accounts[key].pk).update(returns_to=accounts[TREASURY.key])
        VoucherQuota.objects.filter(pk=quota.pk).update(account=accounts[key])
        source = Source("announcement", row.pk, "quota", None, actor.user_id)
        ledger.grant(accounts[TREASURY.key], accounts[key], quota.amount_fen, source, now)
    audit.record(actor, "voucher.publish", row, now, after={"title": row.title})
    return row


def _document(programme: Programme) -> dict[str, Any]:
    """Of the newest published version."""
    rows = ProgrammeVersion.objects.filter(programme=programme, published_at__isnull=False).order_by("-valid")
    document: dict[str, Any] | None = rows.values_list("document", flat=True).first()
    if document is None:
        raise Refusal.of("voucher.not_published", field="programme")
    return document
