"""Are the database's guards in place? Compares what the models and migrations promise with what the database has, in three reads.

Meta constraints and triggers are known from the models. Constraints that only a migration makes (exclusions) are named here by
their app with ``require_constraint``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pgtrigger.registry
from django.apps import apps
from django.db import connection

_named: set[tuple[str, str]] = set()

_CONSTRAINTS = """
SELECT t.relname, c.conname, c.convalidated AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid WHERE t.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT t.relname, i.relname, x.indisvalid AND x.indisunique
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
 WHERE t.relnamespace = current_schema()::regnamespace AND x.indisunique
"""
_TRIGGERS = """
SELECT t.relname, g.tgname, g.tgisinternal, g.tgenabled IN ('O', 'A'), obj_description(g.oid, 'pg_trigger')
  FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid WHERE t.relnamespace = current_schema()::regnamespace
"""


def require_constraint(table: str, name: str) -> None:
    """Say that ``table`` must have the constraint ``name``, which no model knows of."""
    _named.add((table, name))


def expected_count() -> int:
    """How many guards are looked for."""
    return len(_expected_constraints()) + len(pgtrigger.registry.registered())


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


def _trigger_problems(rows: list[tuple[str, str, bool, bool, str | None]]) -> Iterator[str]:
    found = {(table, name): (enabled, note) for table, name, internal, enabled, note in rows if not internal}
    for model, trigger in pgtrigger.registry.registered():
        table, name = model._meta.db_table, trigger.get_pgid(model)
        if (table, name) not in found:
            yield f"trigger {trigger.name} on {table} is missing"
            continue
        enabled, note = found[table, name]
        if not enabled:
            yield f"trigger {trigger.name} on {table} is disabled"
        elif note != trigger.compile(model).hash:
            yield f"trigger {trigger.name} on {table} is not the one the code describes"
    for table in sorted({table for table, _name, internal, enabled, _note in rows if internal and not enabled}):
        yield f"foreign keys of {table} are not enforced"
