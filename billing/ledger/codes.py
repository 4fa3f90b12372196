"""The codes by which an institution's accounting programme knows our accounts: set by its finance, and used in its exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from billing.ledger.code_models import AccountCodes
from billing.ledger.rules.accounting import UnreadableCodes, read_codes
from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from instruments.models import Organisation

KEEPERS = (Role.OWNER_FINANCE, Role.FINANCE)


def kept_by(actor: Actor) -> list[Organisation]:
    """The institutions whose codes the actor keeps."""
    return list(Organisation.objects.filter(pk__in=actor.organisations(*KEEPERS)).order_by("name_pinyin", "pk"))


def codes_of(organisation_id: int) -> dict[str, str]:
    """The codes of an institution; empty where it has set none."""
    rows = AccountCodes.objects.filter(organisation=organisation_id).order_by("-pk")
    return dict(rows.values_list("codes", flat=True).first() or {})


def codes_for(actor: Actor, organisation_id: int | None) -> Mapping[str, str]:
    """The codes that an export of the actor bears: of ``organisation_id`` if the actor keeps them, else of the only institution whose
    finance the actor is; none otherwise."""
    mine = actor.organisations(*KEEPERS)
    if organisation_id in mine:
        return codes_of(organisation_id)
    return codes_of(next(iter(mine))) if len(mine) == 1 and organisation_id is None else {}


def codes_read(actor: Actor, organisation_id: int) -> dict[str, str]:
    """The codes of an institution for its finance. Raises Forbidden."""
    actor.require_in(organisation_id, *KEEPERS)
    return codes_of(organisation_id)


def set_codes(actor: Actor, organisation_id: int, text: str, now: datetime) -> AccountCodes:
    """Keep the codes of an institution, one ``account = code`` in a line; they take the place of the ones before.

    Raises Forbidden, Refusal ``account_codes.unreadable`` (field ``codes``, with the first wrong line).
    """
    actor.require_in(organisation_id, *KEEPERS)
    try:
        codes = read_codes(text)
    except UnreadableCodes as error:
        raise Refusal.of("account_codes.unreadable", field="codes", line=error.line) from error

    def work() -> AccountCodes:
        row = AccountCodes.objects.create(organisation_id=organisation_id, codes=codes, set_by_id=actor.person_id, set_at=now)
        audit.record(actor, "account_codes.set", row, now, after={"codes": len(codes)})
        return row

    return transactions.run(work)
