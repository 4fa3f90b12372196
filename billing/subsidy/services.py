"""Programmes: drafting, publishing by two people, funding, and finding what is in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Q
from psycopg.types.range import DateRange

from billing.ledger import services as ledger
from billing.ledger import top_ups
from billing.ledger.models import Account
from billing.ledger.rules.documents import DocumentError
from billing.ledger.services import AccountSpec
from billing.ledger.top_up_models import TopUp
from billing.subsidy.ending import Confirmed, beside, end_for, refuse_unconfirmed, today_of
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules import programme as programme_rules
from billing.subsidy.rules.examples import check_examples
from billing.subsidy.rules.parts.caps import Cap, CapPer
from billing.subsidy.rules.parts.validity import APPROVAL
from config.kernel.access import Actor, Role
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit, transactions
from instruments.services.catalogue_jobs import ask_for_rebuild

POOL = "pool"


def draft_version(actor: Actor, document: Mapping[str, Any], now: datetime, *, issuer_id: int | None = None) -> ProgrammeVersion:
    """Keep a programme document as a draft.

    Raises Forbidden, Refusal ``programme.invalid`` per fault (field = JSON path), ``programme.example_fails`` per failing example,
    ``programme.label_taken``.
    """
    actor.require(Role.PROGRAMME_OFFICER)
    return draft_of(actor, document, now, author_id=actor.user_id, issuer_id=issuer_id)


def draft_of(
    actor: Actor, document: Mapping[str, Any], now: datetime, *, author_id: int | None, issuer_id: int | None = None
) -> ProgrammeVersion:
    """``draft_version`` of a document that ``author_id`` wrote and the actor has in hand. Raises as it does."""
    parsed = _checked(document)

    def work() -> ProgrammeVersion:
        programme, _ = Programme.objects.get_or_create(code=parsed.code, defaults={"created_at": now, "issuer_id": issuer_id})
        if programme.versions.filter(label=parsed.version).exists():
            raise Refusal.of("programme.label_taken", field="$.version", label=parsed.version)
        version = ProgrammeVersion.objects.create(
            programme=programme,
            label=parsed.version,
            valid=days_of(document),
            document=dict(document),
            document_sha256=parsed.sha256,
            author_id=author_id,
            created_at=now,
        )
        audit.record(actor, "programme.draft", version, now, after={"code": parsed.code, "label": parsed.version})
        return version

    return transactions.run(work)


def days_of(document: Mapping[str, Any]) -> DateRange:
    """The days of a valid document, half-open."""
    days = document["validity"]
    return DateRange(date.fromisoformat(days["first_day"]), date.fromisoformat(days["last_day"]) + timedelta(days=1))


def _checked(document: Mapping[str, Any]) -> programme_rules.Programme:
    try:
        parsed = programme_rules.parse_programme(document)
    except DocumentError as error:
        raise Refusal(*(Reason("programme.invalid", {"fault": fault.message}, fault.path) for fault in error.faults)) from error
    failing = [result for result in check_examples(document) if not result.passed]
    Refusal.raise_any([Reason("programme.example_fails", {"title": result.title}, "$.examples") for result in failing])
    return parsed


def publish_version(actor: Actor, version: ProgrammeVersion, now: datetime, confirmed: Confirmed | None = None) -> None:
    """Publish a draft: its author may not. The pools named by the document are opened with their budget. A version that began earlier and
    holds longer ends the day before, where the actor ``confirmed`` that.

    Raises Forbidden, Refusal ``programme.own_draft``, ``programme.published_already``, ``programme.overlaps``,
    ``programme.ends_in_the_past``, ``programme.ending_unconfirmed``, ``programme.ends_nothing``, ``programme.pool_again`` and
    ``programme.pool_unknown`` (``pool_faults``), and as ``draft_version`` where the document is not right any more.
    """
    actor.require(Role.PROGRAMME_OFFICER)
    if version.author_id == actor.user_id:
        raise Refusal.of("programme.own_draft")

    def work() -> None:
        locked = ProgrammeVersion.objects.select_for_update().get(pk=version.pk)
        if locked.published_at is not None:
            raise Refusal.of("programme.published_already")
        # Versions of a programme are published and ended one after the other.
        Programme.objects.select_for_update(no_key=True).get(pk=locked.programme_id)
        others = beside(locked.programme_id, locked.valid, today_of(now))
        Refusal.raise_any(others.reasons)
        seen = confirmed or Confirmed(None, locked.created_at)
        refuse_unconfirmed(others.ends, seen.version_id)
        if others.ends is not None:
            end_for(actor, locked, others.ends, seen.asked_at, now)
        locked.approver_id = actor.user_id
        locked.published_at = now
        locked.save(update_fields=["approver_id", "published_at"])
        audit.record(actor, "programme.publish", locked, now, after={"label": locked.label})
        parsed = _checked(locked.document)
        Refusal.raise_any(pool_faults(locked.programme_id, parsed))
        ledger.open_accounts([pool_spec(locked, cap) for cap in pools(parsed)], now)
        ask_for_rebuild()

    transactions.run(work)
    version.refresh_from_db()


def pools(programme: programme_rules.Programme) -> list[Cap]:
    """The budget pools of a programme."""
    return [cap for cap in programme.caps if cap.per is CapPer.POOL]


def pool_key(code: str, label: str, cap: Cap) -> str:
    """The key of a pool's account under the version ``label``: one per version and cap, or that of the version whose pool goes on."""
    return f"pool:{code}:{cap.pool_of or label}:{cap.id}"


def pool_spec(version: ProgrammeVersion, cap: Cap) -> AccountSpec:
    """The pool's account, opened with the document's budget."""
    return AccountSpec(pool_key(version.programme.code, version.label, cap), POOL, pool_budget(cap), version.programme_id)


@dataclass(frozen=True, slots=True)
class EarlierPool:
    """A pool of an earlier version whose year a new version shares: the version that opened it, and what it has left (None: no figure)."""

    cap_id: str
    label: str
    payer: str
    left_fen: int | None = None


def earlier_pools(programme_id: int, programme: programme_rules.Programme) -> list[EarlierPool]:
    """For each pool of a version that is to be published the latest pool of the same id in the same year, as far as there is one; where it
    says itself which one goes on, that."""
    chosen: dict[str, EarlierPool] = {}
    named = {cap.id: cap.pool_of for cap in pools(programme)}
    for each in _of_the_year(programme_id, programme):
        if each.cap_id not in chosen or each.label == named[each.cap_id]:
            chosen[each.cap_id] = each
    keys = {cap_id: f"pool:{programme.code}:{each.label}:{cap_id}" for cap_id, each in chosen.items()}
    limited = {key: account for key, account in ledger.known(keys.values()).items() if account.limited}
    return [
        replace(each, left_fen=limited[keys[cap_id]].left_fen if keys[cap_id] in limited else None)
        for cap_id, each in chosen.items()
    ]


def _of_the_year(programme_id: int, programme: programme_rules.Programme) -> Iterator[EarlierPool]:
    """The pools of published versions with the id of one of ``programme`` and a year in common, the latest version first."""
    own, years = {cap.id for cap in pools(programme) if cap.share_of is None}, _years(programme, programme)
    rows = ProgrammeVersion.objects.filter(programme_id=programme_id, published_at__isnull=False).exclude(label=programme.version)
    for version_id in rows.order_by("-valid").values_list("pk", flat=True):
        other = in_force(version_id).programme
        if years & _years(other, programme):
            for cap in pools(other):
                if cap.id in own and cap.share_of is None:
                    yield EarlierPool(cap.id, cap.pool_of or other.version, cap.payer)


def _years(programme: programme_rules.Programme, by: programme_rules.Programme) -> set[int]:
    """The years of a version's days, as another one begins its years."""
    days = programme.validity
    return set(range(by.cap_year(days.first_day), by.cap_year(days.last_day) + 1))


def pool_faults(programme_id: int, programme: programme_rules.Programme) -> list[Reason]:
    """A pool beside an earlier one of the same year has to say whether that goes on or it is new money; what goes on has to be there."""
    earlier = {each.cap_id: each for each in earlier_pools(programme_id, programme)}
    found = []
    for cap in pools(programme):
        before = earlier.get(cap.id)
        if cap.pool_of and (before is None or (before.label, before.payer) != (cap.pool_of, cap.payer)):
            found.append(Reason("programme.pool_unknown", {"pool": cap.id, "label": cap.pool_of}, "$.caps"))
        elif before is not None and not cap.pool_of and not cap.new_money:
            params = {"pool": cap.id, "label": before.label}
            code = "programme.pool_again" if before.left_fen is not None else "programme.pool_again_unlimited"
            found.append(Reason(code, params | ({} if before.left_fen is None else {"left_fen": before.left_fen}), "$.caps"))
    return found


def pool_budget(cap: Cap) -> int | None:
    """What a pool is opened with (fen). None where the document has no figure: the account only counts what is drawn until somebody sets
    one, and the engine says whether there is no limit or nothing is given meanwhile. A share of another pool never has one of its own."""
    return None if cap.share_of is not None else cap.limit_fen


def ask_for_pool(
    actor: Actor, version: ProgrammeVersion, cap_id: str, amount_fen: int, reason: str, now: datetime
) -> tuple[Account, TopUp]:
    """Ask for more budget for a pool; nothing moves until somebody else adds it (``top_ups.add``), signed in as themselves.

    Raises Refusal ``programme.no_such_pool``, and as ``top_ups.ask``.
    """
    parsed = programme_rules.read_programme(version.document)
    cap = next((one for one in pools(parsed) if one.id == cap_id), None)
    if cap is None:
        raise Refusal.of("programme.no_such_pool", field="cap_id", cap=cap_id)

    def work() -> tuple[Account, TopUp]:
        spec = pool_spec(version, cap)
        account = ledger.open_accounts([spec], now)[spec.key]
        return account, top_ups.ask(actor, account.pk, amount_fen, reason, now)

    return transactions.run(work)


@dataclass(frozen=True, slots=True)
class InForce:
    """A published version with its compiled programme."""

    version_id: int
    programme_id: int
    programme: programme_rules.Programme


@lru_cache(maxsize=256)
def in_force(version_id: int) -> InForce:
    """A published version, compiled; published versions never change, so each is read once per process."""
    row = ProgrammeVersion.objects.filter(published_at__isnull=False).only("programme_id", "document").get(pk=version_id)
    return InForce(version_id, row.programme_id, programme_rules.read_programme(row.document))


def version_ids_in_force(service_on: date, approved_on: date) -> tuple[int, ...]:
    """The published versions that hold for a service of one local date that is approved on another, by code of their programmes: each by
    its own date basis, where invoice and claim are expected on the day of the service."""
    by_day = Q(valid__contains=service_on) & ~Q(date_basis=APPROVAL) | Q(valid__contains=approved_on, date_basis=APPROVAL)
    rows = ProgrammeVersion.objects.filter(by_day, published_at__isnull=False).order_by("programme__code")
    return tuple(rows.values_list("pk", flat=True))


def version_on(programme_id: int, on: date) -> InForce | None:
    """The version of one programme that holds on the date that counts."""
    rows = ProgrammeVersion.objects.filter(programme_id=programme_id, published_at__isnull=False, valid__contains=on)
    version_id = rows.values_list("pk", flat=True).first()
    return None if version_id is None else in_force(version_id)
