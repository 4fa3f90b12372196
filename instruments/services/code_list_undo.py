"""Taking a code list back that came in by mistake: every code is again what it was before, as long as nothing names what would go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Code, CodeLoad
from instruments.queries import codes
from instruments.rules.registry_values import clean_text
from instruments.services.code_lists import one_list_at_a_time, shown_anew

REASON_LENGTH = 500
_NAMED_SHOWN = 5
#: Codes of a list that a record names, drafts too, of those that are given; a class also without the noughts that fill it up.
_NAMED: dict[str, str] = {
    "nrii": "SELECT DISTINCT rpad(class_code, 6, '0') FROM instruments_instrument WHERE rpad(class_code, 6, '0') = ANY(%(codes)s)",
    "gbt13745": "SELECT DISTINCT code FROM instruments_instrument, jsonb_array_elements_text(subject_codes) AS code"
    " WHERE code = ANY(%(codes)s)",
    "panet": "SELECT DISTINCT code FROM instruments_instrument, jsonb_array_elements_text(technique_codes) AS code"
    " WHERE code = ANY(%(codes)s)",
    "iso3166": "SELECT DISTINCT nation_code FROM instruments_instrument WHERE nation_code = ANY(%(codes)s)",
    "gbt2260": " UNION ".join(
        f"SELECT region_code FROM instruments_{table} WHERE region_code = ANY(%(codes)s)"  # noqa: S608  (our own names)
        for table in ("site", "organisation", "resource", "policyzone")
    ),
}


def also_named_by(scheme: str, statement: str) -> None:
    """Say, once at start-up, where a floor above names codes of a scheme: a SELECT of those among ``%(codes)s`` that stand there, classes
    filled up with noughts."""
    _NAMED[scheme] += f" UNION {statement}"


@whole
def take_back(actor: Actor, load_id: int, reason: str, now: datetime) -> CodeLoad:
    """Undo the newest list of its kind: what it began goes, what it ended goes on, what it corrected is as before.

    Raises Forbidden, NotFound, Refusal ``codes.reason_needed``, ``name.*``, Conflict ``codes.newer_list``, ``codes.named``.
    """
    actor.require(Role.OPERATOR)
    why = clean_text(reason, REASON_LENGTH, "reason")
    if not why:
        raise Refusal.of("codes.reason_needed", "reason")
    one_list_at_a_time()
    load = get_visible(CodeLoad.objects.all(), actor, pk=load_id)
    standing = CodeLoad.objects.filter(scheme=load.scheme, taken_back_at=None)
    if standing.order_by("-pk").first() != load:
        raise Conflict.of("codes.newer_list", "reason")
    _refuse_named(load)
    gone = Code.objects.filter(pk__in=load.begun).delete()[0]
    Code.objects.filter(pk__in=load.ended).update(valid_to=None)
    _restore(load)
    load.taken_back_at, load.taken_back_by_id, load.reason = now, actor.user_id, why
    load.save(update_fields=["taken_back_at", "taken_back_by", "reason"])
    after = {"scheme": load.scheme, "gone": gone, "go_on": len(load.ended), "as_before": len(load.before)}
    audit.record(actor, "codes.take_back", load, now, after=after, reason=why)
    shown_anew(load.scheme)
    return load


def _restore(load: CodeLoad) -> None:
    """Codes that were corrected or taken out, as they were and under their ids."""
    for values in load.before:
        since = values["valid_from"] and date.fromisoformat(values["valid_from"])
        Code.objects.update_or_create(
            pk=values["id"], defaults={**values, "scheme": load.scheme, "valid_from": since, "valid_to": None}
        )


def _refuse_named(load: CodeLoad) -> None:
    """Raises Conflict ``codes.named`` when a record names a code that no list would have any more."""
    begun = set(Code.objects.filter(pk__in=load.begun).values_list("code", flat=True))
    older = Code.objects.filter(scheme=load.scheme, code__in=begun).exclude(pk__in=load.begun).values_list("code", flat=True)
    kept = {*older, *(values["code"] for values in load.before), *codes.shipped_codes(load.scheme)}
    named = _named(load.scheme, begun - kept)
    if named:
        shown = ", ".join(named[:_NAMED_SHOWN])
        raise Conflict.of("codes.named", "reason", count=len(named), shown=shown)


def _named(scheme: str, wanted: Iterable[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_NAMED[scheme], {"codes": sorted(wanted)})
        return sorted(code for (code,) in cursor.fetchall())
