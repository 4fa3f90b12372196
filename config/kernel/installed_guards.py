"""Are the database's guards in place? Compares what the models and migrations promise with what the database has, in three reads.

Meta constraints and triggers are known from the models. Constraints that only a migration makes (exclusions) are named here by
their app with ``require_constraint``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pgtrigger.registry
from django.apps import apps
from django.db import connection

_named: set[tuple[str, str]] = set()

# Constraints that say NOT NULL (from PostgreSQL 18 on) and foreign keys are not looked for by name.
_CONSTRAINTS = """
SELECT t.relname, c.conname, c.convalidated AND (c.contype <> 'c' OR coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true))
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
 WHERE t.relnamespace = current_schema()::regnamespace AND c.contype IN ('c', 'u', 'x')
UNION ALL
SELECT t.relname, i.relname, x.indisvalid AND x.indisunique
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
 WHERE t.relnamespace = current_schema()::regnamespace AND x.indisunique
"""
# Of the thousands of triggers behind foreign keys only those that are off.
_TRIGGERS = """
SELECT t.relname, g.tgname, g.tgisinternal, g.tgenabled IN ('O', 'A'), obj_description(g.oid, 'pg_trigger')
  FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
 WHERE t.relnamespace = current_schema()::regnamespace AND (NOT g.tgisinternal OR g.tgenabled NOT IN ('O', 'A'))
"""


def require_constraint(table: str, name: str) -> None:
    """Say that ``table`` must have the constraint ``name``, which no model knows of."""
    _named.add((table, name))


def expected_count() -> int:
    """How many guards are looked for."""
    return len(_expected_constraints()) + len(_expected_triggers())


def missing_guards() -> list[str]:
    """One sentence for each guard that is missing, not validated, changed or switched off."""
    with connection.cursor() as cursor:
        cursor.execute(_CONSTRAINTS)
        constraints = {(table, name): valid for table, name, valid in cursor.fetchall()}
        cursor.execute(_TRIGGERS)
        triggers = cursor.fetchall()
    return [*_constraint_problems(constraints), *_trigger_problems(triggers)]


def _expected_constraints() -> set[tuple[str, str]]:
    in_models = {
        (model._meta.db_table, constraint.name)
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if model._meta.managed
    }
    return in_models | _named


def _constraint_problems(found: dict[tuple[str, str], bool]) -> Iterator[str]:
    for table, name in sorted(_expected_constraints()):
        if (table, name) not in found:
            yield f"constraint {name} on {table} is missing"
        elif not found[table, name]:
            yield f"constraint {name} on {table} is not validated or not enforced"


@cache
def _expected_triggers() -> dict[tuple[str, str], tuple[str, str]]:
    """Table and name in the database to the trigger's name and the hash of what the code describes."""
    triggers = pgtrigger.registry.registered()
    return {(model._meta.db_table, one.get_pgid(model)): (one.name, one.compile(model).hash) for model, one in triggers}


def _trigger_problems(rows: list[tuple[str, str, bool, bool, str | None]]) -> Iterator[str]:
    found = {(table, name): (enabled, note) for table, name, internal, enabled, note in rows if not internal}
    for (table, installed), (name, described) in _expected_triggers().items():
        enabled, note = found.get((table, installed), (None, None))
        if enabled is None:
            yield f"trigger {name} on {table} is missing"
        elif not enabled:
            yield f"trigger {name} on {table} is disabled"
        elif note != described:
            yield f"trigger {name} on {table} is not the one the code describes"
    for table in sorted({table for table, _name, internal, _enabled, _note in rows if internal}):
        yield f"foreign keys of {table} are not enforced"
