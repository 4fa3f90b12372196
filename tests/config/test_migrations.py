"""A new database runs the squashed migrations, an older one goes on with those that they replace: both end with the same schema."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tests import databases

OLD_CHAIN = "jishi_old_chain"
OUR_APPS = ("kernel", "instruments", "booking", "billing")
#: What makes up the schema, as the server words it; without the order of columns, which the two ways need not share.
SCHEMA = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, co.collname,
               pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
               LEFT JOIN pg_collation co ON co.oid = a.attcollation
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": """
        SELECT t.tgrelid::regclass::text, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled, p.prosrc
          FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal""",
    "functions": """
        SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile, prosrc FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype  -- what triggers run is said with them
           AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')""",
}


def schema() -> dict[str, set[tuple[object, ...]]]:
    """What the default database is made of."""
    with connection.cursor() as cursor:
        found = {}
        for part, query in SCHEMA.items():
            cursor.execute(query)
            found[part] = set(cursor.fetchall())
    return found


def run_the_old_chain() -> None:
    """Every migration that a squashed one replaces, in the default database, as on the day when it was written."""
    executor = MigrationExecutor(connection)
    executor.loader = MigrationLoader(connection, replace_migrations=False)
    squashed = {key for key, migration in executor.loader.disk_migrations.items() if migration.replaces}
    leaves = [key for key in executor.loader.graph.leaf_nodes() if key not in squashed]
    executor.migrate(leaves)


@pytest.mark.proof
def test_the_squashed_migrations_make_what_the_others_made(django_test_environment, django_db_blocker):
    with django_db_blocker.unblock():
        host = databases.own_host()
        with databases.default_is(databases.migrated(host)):
            new = schema()
        databases.drop(host, OLD_CHAIN)
        databases.create(host, OLD_CHAIN)
        try:
            with databases.default_is(OLD_CHAIN):
                run_the_old_chain()
                old = schema()
                unapplied = [
                    key
                    for key, backwards in MigrationExecutor(connection).migration_plan(
                        MigrationLoader(connection).graph.leaf_nodes()
                    )
                    if not backwards
                ]
        finally:
            databases.drop(host, OLD_CHAIN)
    assert all(new.values())
    assert {part: (sorted(new[part] - old[part], key=str), sorted(old[part] - new[part], key=str)) for part in SCHEMA} == {
        part: ([], []) for part in SCHEMA
    }
    assert unapplied == []


def test_every_migration_that_was_replaced_is_still_there_for_older_databases():
    loader = MigrationLoader(None)
    squashed = Counter(label for (label, _name), migration in loader.disk_migrations.items() if migration.replaces)
    assert {app: squashed[app] for app in OUR_APPS} == dict.fromkeys(OUR_APPS, 1)
    for app in OUR_APPS:
        for (label, _name), migration in loader.disk_migrations.items():
            if label == app:
                assert [key for key in migration.replaces if key not in loader.disk_migrations] == []


def test_no_migration_waits_for_a_squashed_one_that_older_databases_never_run():
    disk = MigrationLoader(None).disk_migrations
    squashed = {key for key, migration in disk.items() if migration.replaces}
    waiting = {key: migration for key, migration in disk.items() if key[0] in OUR_APPS and not migration.replaces}
    assert {key: found for key, migration in waiting.items() if (found := squashed & set(migration.dependencies))} == {}
