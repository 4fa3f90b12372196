"""Taking in a code list: what is new begins, what is gone ends, nothing is deleted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Code, CodeLoad, CodeScheme
from instruments.queries import codes
from instruments.rules.code_lists import Changes, CodeList, CodeRow, StoredCode, changes_of, part_of, read_code_list
from instruments.rules.registry_file import Limits, check_bytes
from instruments.services.catalogue_jobs import ask_for_rebuild
from instruments.services.registry_encoding import Decoded, decode

_LOCK = 0x4A49_434F  # one list at a time
#: What a code is, as long as it holds.
KEPT = ("id", "code", "parent_code", "level", "name", "name_en", "aliases", "more_parents", "valid_from")
#: The lists whose names and wider codes stand in the entries of the catalogue.
_FOUND_BY = (CodeScheme.INSTRUMENT_CLASS, CodeScheme.TECHNIQUE)
_LIMITS = Limits(file_bytes=20 * 1024**2)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a list said and changed, from which day, and how its text was decoded."""

    scheme: str
    valid_from: date
    listed: CodeList
    changes: Changes
    decoded: Decoded


@whole
def load_codes(
    actor: Actor, scheme: str, content: bytes, valid_from: date, now: datetime, file_name: str = "", encoding: str = ""
) -> LoadReport:
    """Take in a list that holds from the local day ``valid_from`` on; the same list again changes nothing.

    The first list of a level (and, for divisions, of a province) holds from ever.

    Raises Forbidden, Refusal ``codes.*`` and ``import.*`` (the file).
    """
    actor.require(Role.OPERATOR)
    if scheme not in CodeScheme.values:
        raise Refusal.of("codes.scheme_unknown", "scheme", known=list(CodeScheme.values))
    check_bytes(content, _LIMITS)
    decoded = decode(content, encoding)
    listed = read_code_list(scheme, decoded.text)
    one_list_at_a_time()
    rows = Code.objects.filter(scheme=scheme, valid_to=None).order_by("code")
    stored = [StoredCode(row.pk, _row(row), row.valid_from) for row in rows]
    _refuse_earlier(stored, valid_from)
    changes = changes_of(scheme, stored, listed, valid_from)
    if changes.begin or changes.end or changes.correct:
        load = CodeLoad(
            scheme=scheme, valid_from=valid_from, file_name=file_name[:200], sha256=hashlib.sha256(content).hexdigest()
        )
        load.loaded_by_id, load.loaded_at = actor.user_id, now
        _write(load, changes)
        load.save()
        figures = {"begun": len(changes.begin), "ended": len(changes.end), "corrected": len(changes.correct)}
        source = {"scheme": scheme, "valid_from": valid_from.isoformat(), "file": load.file_name}
        audit.record(actor, "codes.load", load, now, after={**source, **figures, "sha256": load.sha256})
        shown_anew(scheme)
    return LoadReport(scheme, valid_from, listed, changes, decoded)


def shown_anew(scheme: str) -> None:
    """The names of the list from the end of this transaction on; what is found by names of classes or techniques is made anew behind it."""
    transaction.on_commit(codes.forget)
    if scheme in _FOUND_BY:
        ask_for_rebuild()


def one_list_at_a_time() -> None:
    """Wait until nobody else takes a list in or back, and keep others waiting until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _refuse_earlier(stored: list[StoredCode], valid_from: date) -> None:
    newest = max((one.valid_from for one in stored if one.valid_from), default=None)
    if newest is not None and valid_from < newest:
        raise Refusal.of("codes.older_list", "valid_from", newest_on=newest.isoformat())


def _write(load: CodeLoad, changes: Changes) -> None:
    scheme, valid_from = load.scheme, load.valid_from
    listed_before = {part_of(scheme, _row(code)) for code in Code.objects.filter(scheme=scheme)}
    at_once = [one.id for one in changes.end if one.valid_from == valid_from]  # began and ends on one day: it never held
    load.ended = [one.id for one in changes.end if one.valid_from != valid_from]
    load.before = list(
        Code.objects.filter(pk__in=[*at_once, *(one.id for one, _ in changes.correct)]).order_by("pk").values(*KEPT)
    )
    for values in load.before:
        values["valid_from"] = values["valid_from"] and values["valid_from"].isoformat()
    Code.objects.filter(pk__in=at_once).delete()
    Code.objects.filter(pk__in=load.ended).update(valid_to=valid_from)
    begun = [_code(scheme, row, valid_from if part_of(scheme, row) in listed_before else None) for row in changes.begin]
    load.begun = [code.pk for code in Code.objects.bulk_create(begun, batch_size=1000)]
    corrected = []
    for one, row in changes.correct:
        code = _code(scheme, row, one.valid_from)
        code.pk = one.id
        corrected.append(code)
    Code.objects.bulk_update(corrected, ["name", "name_en", "parent_code", "level", "aliases", "more_parents"], batch_size=500)


def _code(scheme: str, row: CodeRow, valid_from: date | None) -> Code:
    return Code(
        scheme=scheme,
        code=row.code,
        parent_code=row.parent_code,
        level=row.level,
        name=row.name,
        name_en=row.name_en,
        aliases=list(row.aliases),
        more_parents=list(row.more_parents),
        valid_from=valid_from,
    )


def _row(code: Code) -> CodeRow:
    wider = tuple(code.more_parents)
    return CodeRow(code.code, code.name, code.name_en, code.parent_code, code.level, tuple(code.aliases), wider)
