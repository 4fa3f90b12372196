"""Erasing a person: log-in, addresses and keys are taken away, and every copy of the name and the e-mail address is replaced, in every
table but those of ``rules.places.FROZEN``. What the person did stays, done by a pseudonym. Logged in the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import pgtrigger
from django.apps import apps
from django.db import connection
from psycopg import sql

from billing.erasure.rules.places import FROZEN, NOT_OURS, inside_sentences, pseudonym, pseudonymous_address
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Membership, User

REASON_LENGTH = 500
#: What is the person's alone and is deleted: log-in addresses, second factors, keys, saved searches, subscriptions.
_OWN = (
    ("account", "EmailAddress"),
    ("mfa", "Authenticator"),
    ("kernel", "ApiToken"),
    ("booking", "FeedToken"),
    ("booking", "TimeAlert"),
    ("instruments", "SavedSearch"),
    ("instruments", "ChannelAddress"),
    ("instruments", "NoticeSettings"),
)
_COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type
  FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
   AND c.data_type IN ('text', 'character varying', 'jsonb', 'json')
 ORDER BY c.table_name, c.ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """``rows``: how many rows of each table were changed; ``homonyms``: how many others bear the same name, whose rows were left."""

    user_id: int
    rows: dict[str, int]
    homonyms: int


def erase(actor: Actor, email: str, reason: str, now: datetime) -> Erased:
    """Erase the person with an e-mail address.

    Raises Forbidden, NotFound, Refusal ``person.reason`` / ``person.yourself`` / ``person.has_memberships`` (their roles end first, so
    that no organisation loses its last administrator unseen).
    """
    actor.require(Role.OPERATOR)
    text = reason.replace("\x00", "").strip()[:REASON_LENGTH]
    if not text:
        raise Refusal.of("person.reason", field="reason")

    def work() -> Erased:
        person = User.objects.select_for_update().filter(email__iexact=email.replace("\x00", "").strip()).first()
        if person is None:
            raise NotFound.of("access.not_found", model="user")
        _refuse(actor, person)
        found = _erase(person)
        after = {"tables": len(found.rows), "rows": sum(found.rows.values()), "homonyms": found.homonyms}
        audit.record(actor, "person.erase", person, now, after=after, reason=text)
        return found

    return transactions.run(work)


def _refuse(actor: Actor, person: User) -> None:
    if person.pk == actor.user_id:
        raise Refusal.of("person.yourself", field="email")
    if Membership.objects.filter(user=person).exists():
        raise Refusal.of("person.has_memberships", field="email")


def _erase(person: User) -> Erased:
    name, address = person.full_name.strip(), person.email
    for app, model in _OWN:
        apps.get_model(app, model)._default_manager.filter(user_id=person.pk).delete()
    homonyms = User.objects.filter(full_name=person.full_name).exclude(pk=person.pk).count() if name else 0
    person.is_active = person.is_staff = person.is_superuser = False
    person.set_unusable_password()
    person.full_name = pseudonym(person.pk)
    person.save()
    pairs = [(address, pseudonymous_address(person.pk), True)]
    if name and not homonyms:
        pairs.append((name, pseudonym(person.pk), inside_sentences(name)))
    rows: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pgtrigger.ignore():  # append-only tables keep their rows; only what names the person in them is replaced
        for table, columns in _tables():
            for old, new, inside in pairs:
                rows[table] = rows.get(table, 0) + _replace(table, columns, old, new, inside)
    return Erased(person.pk, {table: count for table, count in rows.items() if count}, homonyms)


def _tables() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Every table that is searched, with its columns of text and JSON: (name, type)."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        rows = cursor.fetchall()
    for table, columns in groupby(rows, key=lambda row: row[0]):
        if table not in FROZEN and table not in NOT_OURS:
            yield table, [(column, kind) for _, column, kind in columns]


def _replace(table: str, columns: Sequence[tuple[str, str]], old: str, new: str, inside: bool) -> int:
    """Replace a text in every column of a table; how many rows had it. ``inside``: also as a part of a longer text."""
    changes, hits = [], []
    written: list[str] = []
    looked: list[str] = []
    for column, kind in columns:
        name, cast = sql.Identifier(column), sql.SQL(kind)
        if kind in ("jsonb", "json"):
            mine, theirs = (old, new) if inside else (f'"{old}"', f'"{new}"')
            changes.append(sql.SQL("{c} = replace({c}::text, %s, %s)::{t}").format(c=name, t=cast))
            hits.append(sql.SQL("strpos({c}::text, %s) > 0").format(c=name))
        else:
            mine, theirs = old, new
            change = "{c} = replace({c}, %s, %s)" if inside else "{c} = CASE WHEN {c} = %s THEN %s ELSE {c} END"
            changes.append(sql.SQL(change).format(c=name))
            hits.append(sql.SQL("strpos({c}, %s) > 0" if inside else "{c} = %s").format(c=name))
        written += [mine, theirs]
        looked.append(mine)
    statement = sql.SQL("UPDATE {table} SET {changes} WHERE {hits}").format(
        table=sql.Identifier(table), changes=sql.SQL(", ").join(changes), hits=sql.SQL(" OR ").join(hits)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), [*written, *looked])  # as text: ``pgtrigger.ignore`` writes before it
        return int(cursor.rowcount)
