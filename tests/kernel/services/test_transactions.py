"""One transaction per write, inside another one too."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from config.kernel.copying import copy_rows
from config.kernel.errors import Busy
from config.kernel.models import AuditEntry, Heartbeat, StoredFile
from config.kernel.services import audit, files, tokens, transactions
from config.kernel.services.heartbeat import beat


def test_what_fails_inside_another_transaction_is_undone_alone_and_the_outer_may_go_on(cast):
    def fails():
        beat("inner", cast.now)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    with transaction.atomic():
        beat("outer", cast.now)
        with pytest.raises(DatabaseError):
            transactions.run(fails)
        assert list(Heartbeat.objects.values_list("name", flat=True)) == ["outer"]


def test_a_lock_that_is_not_had_inside_another_transaction_is_busy_and_the_outer_goes_on(cast):
    def waits():
        beat("inner", cast.now)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'taken' USING ERRCODE = '55P03'; END $$")

    with transaction.atomic():
        beat("outer", cast.now)
        with pytest.raises(Busy):
            transactions.run(waits)
        assert list(Heartbeat.objects.values_list("name", flat=True)) == ["outer"]


def test_a_service_made_whole_gives_its_result_and_its_error(cast):
    @transactions.whole
    def service(answer):
        beat("service", cast.now)
        if answer is None:
            raise ValueError
        return answer

    with pytest.raises(ValueError):
        service(None)
    assert not Heartbeat.objects.exists()
    assert service(42) == 42


def test_sqlstate_and_constraint_of_an_error_without_a_cause_are_empty():
    assert transactions.sqlstate(ValueError()) == transactions.constraint_name(ValueError()) == ""


def test_the_audit_says_who_what_before_after_and_why(cast):
    audit.record(cast.actor("lin"), "test.change", cast.firm, cast.now, before={"a": 1}, after={"a": 2}, reason="because")
    entry = AuditEntry.objects.get(action="test.change")
    assert (entry.actor, entry.actor_name, entry.object_type) == (cast.users["lin"], "Lin", "instruments.organisation")
    assert (entry.object_id, entry.before, entry.after, entry.reason) == (str(cast.firm.pk), {"a": 1}, {"a": 2}, "because")


def test_only_the_fingerprint_of_a_token_is_kept(cast):
    key = tokens.issue(cast.actor("lin"), "script", ["read"], cast.now)
    stored = cast.users["lin"].api_tokens.get()
    assert key.startswith(tokens.PREFIX) and stored.key_sha256 == tokens.digest(key)
    assert key not in str(AuditEntry.objects.filter(action="token.issue").values())
    tokens.revoke(cast.actor("lin"), stored, cast.now)
    assert stored.revoked_at == cast.now


def test_a_stored_file_comes_back_as_it_was_or_not_at_all(cast, settings, tmp_path):
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
    first = files.store(b"seal", file_name="a.pdf", media_type="application/pdf", user_id=None, now=cast.now)
    second = files.store(b"seal", file_name="b.pdf", media_type="application/pdf", user_id=None, now=cast.now)
    assert (files.read(first), first.path) == (b"seal", second.path)
    for damage, code in ((b"deal", "files.damaged"), (None, "files.missing")):
        path = tmp_path / first.path
        path.write_bytes(damage) if damage else path.unlink()
        with pytest.raises(files.Refusal) as refused:
            files.read(first)
        assert refused.value.reasons[0].code == code


def test_a_discarded_file_is_gone_once_the_transaction_is_through_and_stays_where_it_fails(
    cast, settings, tmp_path, django_capture_on_commit_callbacks
):
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
    kept, other = (
        files.store(text, file_name="a.txt", media_type="text/plain", user_id=None, now=cast.now) for text in (b"1", b"2")
    )
    again = files.store(b"2", file_name="b.txt", media_type="text/plain", user_id=None, now=cast.now)
    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(RuntimeError), transaction.atomic():
            files.discard(StoredFile.objects.get(pk=kept.pk))
            raise RuntimeError
        files.discard(other)
    assert files.read(kept) == b"1" and files.read(again) == b"2"  # the other record names the same bytes
    with django_capture_on_commit_callbacks(execute=True):
        files.discard(again)
    assert not (tmp_path / again.path).exists()


def test_what_the_database_refuses_of_copied_rows_is_an_error_of_django(cast):
    """Lost locks and deadlocks are told and tried again by their kind."""
    row = AuditEntry.objects.create(action="x", at=cast.now, object_type="y", object_id="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_rows(AuditEntry, [{"id": row.pk, "action": "x", "at": cast.now, "object_type": "y", "object_id": "1"}])
