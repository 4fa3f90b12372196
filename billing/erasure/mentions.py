"""Where the name of an erased person still stands in what people wrote: names of few signs, or that are ordinary words, are not looked for
inside sentences when a person is erased. Who answers for the data looks at each place and marks those that mean the person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pgtrigger
from django.db import IntegrityError, connection, transaction
from psycopg import sql

from billing.erasure.rules.places import pseudonym
from billing.erasure.rules.replacing import Pair, needle, replaced, replaced_json
from billing.erasure.services import Column, reason_of, tables
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit, transactions
from instruments.models import User

MOST, AROUND, SHORTEST = 200, 40, 2


@dataclass(frozen=True, slots=True)
class Mention:
    """``place`` names it: table, column and row. ``excerpt``: the name with a few signs around it."""

    place: str
    table: str
    excerpt: str


def mentions(actor: Actor, user_id: int, name: str, now: datetime) -> list[Mention]:
    """The places at which a name stands in texts, 200 at most; that somebody looked stands in the audit trail.

    Raises Forbidden, NotFound (nobody of that number was erased), Refusal ``person.name_short``.
    """
    person, wanted = _checked(actor, user_id, name)

    def work() -> list[Mention]:
        found = [each for each, _ in islice(_found(wanted), MOST)]
        audit.record(actor, "person.look_for_mentions", person, now, after={"found": len(found)})
        return found

    return transactions.run(work)


def replace(actor: Actor, user_id: int, name: str, places: Sequence[str], reason: str, now: datetime) -> int:
    """Replace the name by the person's pseudonym at the places that were marked; how many rows. A place that is not among what
    ``mentions`` finds is left. Raises as ``mentions`` does, Refusal ``person.reason``."""
    person, wanted = _checked(actor, user_id, name)
    text, marked = reason_of(reason), set(places)

    def work() -> int:
        done = 0
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pgtrigger.ignore():
            for each, (column, row_id, whole) in _found(wanted):
                if each.place in marked:
                    done += _write(each.table, column, row_id, whole, _without(column, whole, _pair(wanted, user_id)))
        audit.record(actor, "person.replace_mentions", person, now, after={"rows": done}, reason=text)
        return done

    return transactions.run(work)


def _checked(actor: Actor, user_id: int, name: str) -> tuple[User, str]:
    actor.require(Role.OPERATOR)
    person = User.objects.filter(pk=user_id, full_name=pseudonym(user_id)).first()
    if person is None:
        raise NotFound.of("access.not_found", model="user")
    wanted = name.replace("\x00", "").strip()
    if len(wanted) < SHORTEST:
        raise Refusal.of("person.name_short", field="name", least=SHORTEST)
    return person, wanted


def _pair(name: str, user_id: int) -> Pair:
    return Pair(name, pseudonym(user_id), inside=True)


def _found(name: str) -> Iterator[tuple[Mention, tuple[Column, int, str]]]:
    """Table by table; only tables whose rows have a number."""
    for table, columns in tables():
        for column in columns if _has_number(table) else ():
            yield from _in_column(table, column, name)


def _has_number(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
            " AND column_name = 'id' AND data_type IN ('bigint', 'integer'))",
            [table],
        )
        return bool(cursor.fetchone()[0])


def _in_column(table: str, column: Column, name: str) -> Iterator[tuple[Mention, tuple[Column, int, str]]]:
    pair = Pair(name, "", inside=True)
    written = needle(pair, is_json=column.is_json)
    statement = sql.SQL("SELECT id, {column}::text FROM {table} WHERE strpos({column}::text, %s) > 0 ORDER BY id").format(
        column=sql.Identifier(column.name), table=sql.Identifier(table)
    )
    with connection.chunked_cursor() as cursor:  # as many as there are: in most the name may be a part of a longer word, or a key
        cursor.execute(statement.as_string(None), [written])
        for row_id, whole in cursor:
            if _without(column, whole, pair) != whole:
                at = whole.index(written)
                excerpt = whole[max(0, at - AROUND) : at + len(name) + AROUND]
                yield Mention(f"{table}:{column.name}:{row_id}", table, excerpt), (column, row_id, whole)


def _without(column: Column, whole: str, pair: Pair) -> str:
    """The text as the column holds it, with the name replaced; keys and numbers of JSON stay."""
    return replaced_json(whole, pair) if column.is_json else replaced(whole, pair)[: column.most]


def _write(table: str, column: Column, row_id: int, read: str, text: str) -> int:
    """Replace a text by another as long as it is the one that was read, and none where no other row may have the same; how many rows."""
    statement = sql.SQL("UPDATE {table} SET {column} = %s::{kind} WHERE id = %s AND {column}::text = %s").format(
        table=sql.Identifier(table), column=sql.Identifier(column.name), kind=sql.SQL(column.kind)
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.as_string(None), [text, row_id, read])
            return int(cursor.rowcount)
    except IntegrityError:
        return 0
