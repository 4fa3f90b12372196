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

from billing.erasure.rules.places import (
    BESIDE,
    FROZEN,
    NAME_COLUMNS,
    NOT_OURS,
    WHOLE,
    inside_sentences,
    one_latin_word,
    pseudonym,
    pseudonymous_address,
)
from billing.erasure.rules.replacing import Pair, needle, replaced_by_all
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
SELECT c.table_name, c.column_name, c.data_type, c.character_maximum_length
  FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
   AND c.data_type IN ('text', 'character varying', 'jsonb', 'json')
 ORDER BY c.table_name, c.ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of texts: its name, its type in PostgreSQL, and how many signs it holds (None: any number)."""

    name: str
    kind: str
    most: int | None

    @property
    def is_json(self) -> bool:
        """Whether its text is JSON."""
        return self.kind in ("jsonb", "json")

    @property
    def is_name(self) -> bool:
        """Whether it holds nothing but the name of a person."""
        return self.name in NAME_COLUMNS


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
    text = reason_of(reason)

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


def reason_of(reason: str) -> str:
    """Why, as it is kept. Raises Refusal ``person.reason``."""
    text = reason.replace("\x00", "").strip()[:REASON_LENGTH]
    if not text:
        raise Refusal.of("person.reason", field="reason")
    return text


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
    pairs = [Pair(address, pseudonymous_address(person.pk), inside=True, any_case=True)]
    if name and not homonyms:
        inside, only = inside_sentences(name), one_latin_word(name)
        pairs.append(Pair(name, pseudonym(person.pk), inside=inside, names_only=only))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pgtrigger.ignore():  # append-only tables keep their rows; only what names the person in them is replaced
        rows = {table: _replace(table, columns, pairs, pseudonym(person.pk)) for table, columns in tables()}
    return Erased(person.pk, {table: count for table, count in rows.items() if count}, homonyms)


def tables() -> Iterator[tuple[str, list[Column]]]:
    """Every table that is searched, with its columns of text and JSON; a column with a fixed list of values names nobody."""
    fixed = {
        (model._meta.db_table, field.column)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if field.choices
    }
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        rows = cursor.fetchall()
    for table, columns in groupby(rows, key=lambda row: row[0]):
        if table not in FROZEN and table not in NOT_OURS:
            yield table, [Column(*rest) for _, *rest in columns if (table, rest[0]) not in fixed]


def _replace(table: str, columns: Sequence[Column], pairs: Sequence[Pair], alias: str) -> int:
    """Replace what names a person in every column of a table; how many rows had it."""
    places = [(column, pair) for column in columns for pair in pairs if column.is_name or not pair.names_only]
    if not places:
        return 0
    names = [sql.Identifier(column.name) for column in columns]
    read = sql.SQL("SELECT ctid::text, {columns} FROM {table} WHERE {hits} FOR UPDATE").format(
        columns=sql.SQL(", ").join(sql.SQL("{c}::text").format(c=name) for name in names),
        table=sql.Identifier(table),
        hits=sql.SQL(" OR ").join(_hit(column, pair) for column, pair in places),
    )
    with connection.cursor() as cursor:
        cursor.execute(read.as_string(None), [needle(pair, is_json=column.is_json) for column, pair in places])
        found = cursor.fetchall()
        changed = [
            (place, after) for place, *before in found if (after := _after(table, columns, before, pairs, alias)) != before
        ]
        if changed:
            texts = [[after[index] for _, after in changed] for index in range(len(columns))]
            # as text: ``pgtrigger.ignore`` writes before it
            cursor.execute(_update(table, columns).as_string(None), [[place for place, _ in changed], *texts])
    return len(changed)


def _hit(column: Column, pair: Pair) -> sql.Composed:
    """Whether a column may have it; ``replaced`` says for certain."""
    text = sql.SQL("{c}::jsonb::text" if column.is_json else "{c}::text").format(c=sql.Identifier(column.name))
    if not pair.inside and not column.is_json:
        return sql.SQL("{text} = %s").format(text=text)
    return sql.SQL("strpos(lower({text}), %s) > 0" if pair.any_case else "strpos({text}, %s) > 0").format(text=text)


def _after(
    table: str, columns: Sequence[Column], before: Sequence[str | None], pairs: Sequence[Pair], alias: str
) -> list[str | None]:
    """The texts of a row without the person; what stands beside their address goes with it."""
    after = [
        text and replaced_by_all(text, pairs, is_json=column.is_json, is_name=column.is_name, most=column.most)
        for column, text in zip(columns, before, strict=True)
    ]
    at = {column.name: index for index, column in enumerate(columns)}
    address, beside = BESIDE.get(table, ("", ()))
    if address and after[at[address]] != before[at[address]]:
        for name in beside:
            after[at[name]] = ""
    address, named = WHOLE.get(table, ("", ""))
    if address and after[at[address]] != before[at[address]]:
        after[at[address]], after[at[named]] = pairs[0].new, alias
    return after


def _update(table: str, columns: Sequence[Column]) -> sql.Composed:
    """One statement for all rows: their places, then the texts of each column, as arrays."""
    aliases = [sql.Identifier(f"c{index}") for index in range(len(columns))]
    return sql.SQL("UPDATE {table} SET {changes} FROM unnest({arrays}) v(place, {aliases}) WHERE ctid = v.place::tid").format(
        table=sql.Identifier(table),
        changes=sql.SQL(", ").join(
            sql.SQL("{c} = v.{a}::{t}").format(c=sql.Identifier(column.name), a=alias, t=sql.SQL(column.kind))
            for column, alias in zip(columns, aliases, strict=True)
        ),
        arrays=sql.SQL(", ").join([sql.SQL("%s::text[]")] * (len(columns) + 1)),
        aliases=sql.SQL(", ").join(aliases),
    )
