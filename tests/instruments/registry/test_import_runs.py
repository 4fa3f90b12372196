"""A file on its way in: read, looked at, confirmed, written once; given up, failed, changed in between."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from config.kernel.access import NOBODY
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.tasks import STALLED_ATTEMPTS
from instruments.models import Code, ImportRun, ImportRunRow, Instrument, SavedMapping
from instruments.queries import codes
from instruments.rules.names import name_key
from instruments.rules.reading_options import ReadingOptions, checked, saved_document, saved_parts
from instruments.services import import_kinds, import_runs, saved_mappings
from instruments.services.import_runs import Asked
from tests.instruments.registry.conftest import make_owner
from tests.instruments.registry.test_workbook import book

pytestmark = pytest.mark.django_db
LIST = b"inner_id,name,model,status\nA1,SEM,S4800,normal\nA2,XRD,D8,under_repair\n"


def handed(cast: Any, content: bytes = LIST, layout: str = "csv", who: str = "wang", **options: Any) -> ImportRun:
    """A file that was handed over and read."""
    owner = options.pop("owner", cast.lab.pk)
    run = import_runs.start(cast.actor(who), Asked("instruments", layout, owner, **options), content, "list.csv", cast.now)
    import_runs.work(run.pk, cast.now)
    return ImportRun.objects.get(pk=run.pk)


def written(cast: Any, run: ImportRun, who: str = "wang") -> ImportRun:
    import_runs.confirm(cast.actor(who), run.pk, cast.now)
    import_runs.work(run.pk, cast.now)
    return ImportRun.objects.get(pk=run.pk)


def test_nothing_is_written_before_the_preview_is_confirmed_and_then_exactly_that(cast: Any) -> None:
    run = handed(cast)
    assert (run.state, run.counts["created"], run.counts["refused"]) == ("preview", 2, 0)
    assert not Instrument.objects.filter(inner_id="A1").exists()
    assert list(run.rows.order_by("line").values_list("line", "fate", "name")) == [(2, "created", "SEM"), (3, "created", "XRD")]
    done = written(cast, run)
    assert (done.state, done.counts["created"]) == ("done", 2)
    assert Instrument.objects.get(inner_id="A2").status == "under_repair"
    assert all(done.rows.values_list("object_id", flat=True))
    import_runs.work(run.pk, cast.now)  # the job comes twice
    assert Instrument.objects.filter(inner_id="A1").count() == 1
    again = handed(cast)
    assert again.counts == {"created": 0, "updated": 0, "unchanged": 2, "repeated": 0, "refused": 0}


def test_a_file_is_kept_only_where_it_will_be_read(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instruments.services.import_runs.files.store", lambda *args, **kwargs: pytest.fail("kept"))
    asked = [
        Asked("instruments", "csv", cast.lab.pk, options=ReadingOptions(encoding="zip")),
        Asked("instruments", "saved", cast.lab.pk, mapping_id=0),
    ]
    for one in asked:
        with pytest.raises(Refusal):
            import_runs.start(cast.actor("wang"), one, LIST, "list.csv", cast.now)


def test_a_changed_field_is_shown_with_what_it_was_and_becomes(cast: Any) -> None:
    written(cast, handed(cast))
    run = handed(cast, LIST.replace(b"S4800", b"S9000"))
    (row,) = run.rows.filter(fate="updated")
    assert [(one["field"], one["params"]) for one in row.reasons] == [("model", {"was": "S4800", "becomes": "S9000"})]


def test_when_the_registry_changes_after_the_preview_nothing_is_written_and_a_new_preview_comes(cast: Any) -> None:
    written(cast, handed(cast))
    run = handed(cast, LIST.replace(b"S4800", b"S9000"))
    Instrument.objects.filter(inner_id="A2").update(model="by hand")
    later = written(cast, run)
    assert (later.state, later.changed_since, later.counts["updated"]) == ("preview", True, 2)
    assert Instrument.objects.get(inner_id="A1").model == "S4800"
    assert written(cast, later).state == "done"
    assert Instrument.objects.get(inner_id="A1").model == "S9000"


def test_lists_of_an_owner_are_taken_in_one_after_the_other(cast: Any) -> None:
    for content in (LIST, LIST.replace(b"S4800", b"S9000")):
        import_runs.start(cast.actor("wang"), Asked("instruments", "csv", cast.lab.pk), content, "list.csv", cast.now)
    jobs = ProcrastinateJob.objects.filter(task_name=import_runs.TASK)
    assert jobs.count() == 2  # both wait
    assert len(set(jobs.values_list("lock", flat=True))) == 1  # and never run at the same time
    other = make_owner("Another institute", cast.now)
    import_runs.start(cast.actor("zhou"), Asked("instruments", "csv", other.pk), LIST, "list.csv", cast.now)
    assert len(set(jobs.values_list("lock", flat=True))) == 2


def test_refused_rows_are_told_and_cannot_be_confirmed(cast: Any) -> None:
    run = handed(cast, b"inner_id,name,region_code\nA1,SEM,639999\nA2,XRD,630104\nA3,,\n")
    assert (run.state, run.counts["refused"]) == ("preview", 2)
    assert [row.reasons[0]["code"] for row in run.rows.order_by("line")] == ["codes.division_unknown", "name.empty"]
    with pytest.raises(Conflict):
        import_runs.confirm(cast.actor("wang"), run.pk, cast.now)


@pytest.mark.parametrize("content", [b"\0\0binary", b"PK\x03\x04", b"model\nx\n", b"name\n", b",".join([b"c"] * 1_000_000)])
def test_a_file_that_cannot_be_read_fails_in_words(cast: Any, content: bytes) -> None:
    run = handed(cast, content)
    assert run.state == "failed"
    assert run.problems[0]["code"].startswith("import.")
    assert not run.rows.exists()


def test_an_import_is_given_up_once_and_never_written(cast: Any) -> None:
    run = handed(cast)
    import_runs.cancel(cast.actor("wang"), run.pk, cast.now)
    import_runs.work(run.pk, cast.now)
    for act in (import_runs.cancel, import_runs.confirm):
        with pytest.raises(Conflict):
            act(cast.actor("wang"), run.pk, cast.now)
    assert ImportRun.objects.get(pk=run.pk).state == "cancelled"
    assert not Instrument.objects.filter(inner_id="A1").exists()


def test_an_unknown_list_is_mapped_by_its_headings_and_the_mapping_is_used_again(cast: Any) -> None:
    content = b"Asset ID;Equipment;Cost;Odd\n7;SEM;1200.50;x\n"
    run = handed(cast, content, "new")
    assert (run.state, run.facts["columns"], run.facts["samples"]) == (
        "mapping", ["Asset ID", "Equipment", "Cost", "Odd"], [["7", "SEM", "1200.50", "x"]],
    )  # fmt: skip
    chosen = {"Asset ID": "inner_id", "Equipment": "name", "Cost": "original_value_fen"}
    with pytest.raises(Refusal) as refused:
        import_runs.choose_columns(cast.actor("wang"), run.pk, {**chosen, "Odd": "name"}, "", cast.now)
    assert refused.value.reasons[0].code == "import.choice_twice"
    with pytest.raises(Refusal):
        import_runs.choose_columns(cast.actor("wang"), run.pk, {"Odd": "model"}, "", cast.now)
    import_runs.choose_columns(cast.actor("wang"), run.pk, chosen, "Our list", cast.now)
    import_runs.work(run.pk, cast.now)
    assert written(cast, ImportRun.objects.get(pk=run.pk)).counts["created"] == 1
    assert Instrument.objects.get(inner_id="7").original_value_fen == 120_050
    mapping = SavedMapping.objects.get(organisation=cast.lab, name="Our list")
    again = handed(cast, content.replace(b"SEM", b"SEM two"), "saved", mapping_id=mapping.pk)
    assert again.counts["updated"] == 1
    saved_mappings.forget(cast.actor("wang"), mapping.pk, cast.now)
    with pytest.raises(Refusal):
        handed(cast, content, "saved", mapping_id=mapping.pk)


def test_a_chosen_encoding_and_zone_are_kept_with_a_saved_mapping(cast: Any) -> None:
    content = "编号;名称;房间\n7;电镜;北楼\n".encode("gb18030")
    wang, run = cast.actor("wang"), handed(cast, content, "new")
    chosen = ReadingOptions("gb18030", "Asia/Urumqi", {"manufacturer": "Zeiss"})
    import_runs.read_again(wang, run.pk, chosen, cast.now)
    import_runs.work(run.pk, cast.now)
    columns = {"编号": "inner_id", "名称": "name", "房间": "site.name"}
    import_runs.choose_columns(wang, run.pk, columns, "Ours", cast.now)
    mapping = SavedMapping.objects.get(name="Ours")
    # The same bytes make sense in another encoding as well: without the choice that is kept, this file would be read as that.
    again = handed(cast, "编号;名称;房间\n8;é;北楼\n".encode("gb18030"), "saved", mapping_id=mapping.pk)
    assert again.options == {"encoding": "gb18030", "time_zone": "Asia/Urumqi"}  # the value for all rows was that file's
    assert (again.facts["encoding"], again.facts["sureness"]) == ("gb18030", "declared")
    assert "reading" not in again.document
    written(cast, again)
    made = Instrument.objects.get(inner_id="8")
    assert (made.name, made.site.time_zone, made.manufacturer) == ("é", "Asia/Urumqi", "")
    assert saved_parts(saved_document({"fields": {}}, ReadingOptions())) == ({"fields": {}}, ReadingOptions())


def test_a_workbook_of_an_unknown_list_is_mapped_too(cast: Any) -> None:
    run = handed(cast, book(["Instrument", "Room"], ["SEM", "12"]), "new")
    assert run.facts["columns"] == ["Instrument", "Room"]
    import_runs.choose_columns(cast.actor("wang"), run.pk, {"Instrument": "name", "Room": "site.name"}, "", cast.now)
    import_runs.work(run.pk, cast.now)
    assert ImportRun.objects.get(pk=run.pk).counts["created"] == 1


def test_only_who_manages_the_owner_takes_files_in(cast: Any) -> None:
    for who in ("lin", "li", "wu"):
        with pytest.raises(Forbidden):
            handed(cast, who=who)
    with pytest.raises(Forbidden):
        handed(cast, owner=None)
    run = handed(cast)
    for who in ("lin", "li"):
        with pytest.raises(NotFound):
            import_runs.confirm(cast.actor(who), run.pk, cast.now)
    with pytest.raises(Forbidden):
        import_runs.start(NOBODY, Asked("instruments", "csv", cast.lab.pk), LIST, "x.csv", cast.now)
    for kind, layout in (("nothing", "csv"), ("instruments", "nothing")):
        with pytest.raises(Refusal):
            import_runs.start(cast.actor("wang"), Asked(kind, layout, cast.lab.pk), LIST, "x.csv", cast.now)


def test_the_operator_takes_in_lists_whose_rows_name_their_owners(cast: Any) -> None:
    cast.lab.name_key = name_key(cast.lab.name)
    cast.lab.save()
    run = handed(cast, b"Instrument,Owner\nSEM,Kunlun Institute\n", "new", who="zhou", owner=None)
    import_runs.choose_columns(cast.actor("zhou"), run.pk, {"Instrument": "name", "Owner": "organisation.name"}, "", cast.now)
    import_runs.work(run.pk, cast.now)
    assert written(cast, ImportRun.objects.get(pk=run.pk), "zhou").state == "done"
    assert Instrument.objects.get(name="SEM").organisation == cast.lab


def test_a_manager_who_lost_the_role_writes_nothing_any_more(cast: Any) -> None:
    run = handed(cast)
    import_runs.confirm(cast.actor("wang"), run.pk, cast.now)
    cast.users["wang"].memberships.all().delete()
    import_runs.work(run.pk, cast.now)
    failed = ImportRun.objects.get(pk=run.pk)
    assert (failed.state, failed.problems[0]["code"]) == ("failed", "access.role_needed")
    assert not Instrument.objects.filter(inner_id="A1").exists()


def test_what_the_platform_cannot_finish_is_said(cast: Any, now: datetime) -> None:
    run = import_runs.start(cast.actor("wang"), Asked("instruments", "csv", cast.lab.pk), LIST, "x.csv", now)
    import_runs.give_up(run.pk, now)
    assert ImportRun.objects.get(pk=run.pk).problems[0]["code"] == "import.gave_up"


def test_a_kind_is_one_call_and_may_not_come_twice() -> None:
    with pytest.raises(RuntimeError):
        import_kinds.register(import_kinds.INSTRUMENTS)
    assert ImportRunRow._meta.get_field("fate").max_length == 20


def test_when_a_newer_list_of_codes_refuses_a_row_after_the_preview_nothing_is_done_and_it_can_be_mended(cast: Any) -> None:
    run = handed(cast, b"inner_id,name,region_code\nA1,SEM,650102\n")
    assert (run.state, run.counts["created"]) == ("preview", 1)
    Code.objects.create(scheme="gbt2260", code="650103", name="Saybag", parent_code="650100", level=3)
    codes.forget()
    later = written(cast, run)
    assert (later.state, later.changed_since, later.counts["refused"]) == ("preview", True, 1)
    assert not Instrument.objects.filter(inner_id="A1").exists()


# --- Left lying by a worker that was killed time and again ----------------------------------------------------------------
def lose(run: ImportRun) -> None:
    """The worker was killed with it five times: the platform gave the job up (``kernel.tasks``)."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = %s WHERE status = 'todo'", [STALLED_ATTEMPTS])
        cursor.execute("UPDATE procrastinate_jobs SET worker_id = NULL, status = 'failed' WHERE status = 'doing'")
    assert import_runs.is_left_lying(ImportRun.objects.get(pk=run.pk))


def confirmed(cast: Any) -> ImportRun:
    run = handed(cast)
    return import_runs.confirm(cast.actor("wang"), run.pk, cast.now)


def test_what_was_left_lying_while_it_was_written_is_taken_up_again_and_written_once(cast: Any) -> None:
    run = confirmed(cast)
    lose(run)
    import_runs.go_on(cast.actor("wang"), run.pk, cast.now)
    run.refresh_from_db()
    assert run.state == "writing" and not import_runs.is_left_lying(run)
    import_runs.work(run.pk, cast.now)
    import_runs.work(run.pk, cast.now)
    assert ImportRun.objects.get(pk=run.pk).state == "done"
    assert Instrument.objects.filter(inner_id="A1").count() == 1


def test_what_the_worker_ended_between_two_looks_was_not_left_lying(cast: Any) -> None:
    run = confirmed(cast)
    import_runs.work(run.pk, cast.now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'todo'")
    assert run.state == "writing", "as it was read before the worker wrote it"
    assert not import_runs.is_left_lying(run)


def test_what_was_left_lying_while_it_was_written_can_be_given_up_and_then_nobody_writes_it(cast: Any) -> None:
    run = confirmed(cast)
    lose(run)
    import_runs.cancel(cast.actor("wang"), run.pk, cast.now)
    import_runs.work(run.pk, cast.now)  # a worker that was not dead after all
    assert ImportRun.objects.get(pk=run.pk).state == "cancelled"
    assert not Instrument.objects.filter(inner_id="A1").exists()


def test_what_is_in_hand_is_neither_taken_up_twice_nor_given_up(cast: Any) -> None:
    run = confirmed(cast)
    assert not import_runs.is_left_lying(run)
    for act in (import_runs.go_on, import_runs.cancel):
        with pytest.raises(Conflict) as refused:
            act(cast.actor("wang"), run.pk, cast.now)
        assert refused.value.reasons[0].code == "import.in_hand"
    import_runs.work(run.pk, cast.now)
    with pytest.raises(Conflict) as refused:
        import_runs.go_on(cast.actor("wang"), run.pk, cast.now)
    assert refused.value.reasons[0].code == "import.state_changed"


def test_only_who_manages_the_owner_takes_up_what_was_left_lying(cast: Any) -> None:
    run = confirmed(cast)
    lose(run)
    for who in ("lin", "li"):
        with pytest.raises(NotFound):
            import_runs.go_on(cast.actor(who), run.pk, cast.now)


def test_a_file_is_read_again_with_another_encoding_a_zone_and_values_for_what_it_lacks(cast: Any) -> None:
    content = "inner_id,name\nG1,\u70d8\u7bb1\n".encode("gb18030")
    run = handed(cast, content)
    assert run.facts["encoding"] and run.facts["zone_name"] == "Asia/Shanghai"
    wang = cast.actor("wang")
    constants = {"site.name": "West hall", "service_modes": "assisted"}
    for wrong, code in (
        (ReadingOptions("zip"), "import.encoding_unknown"),
        (ReadingOptions(time_zone="Mars/Base"), "import.time_zone_unknown"),
        (ReadingOptions(constants={"name": "x"}), "import.constant_unknown"),
        (ReadingOptions(constants={"site.name": "x" * 301}), "name.too_long"),
    ):
        with pytest.raises(Refusal) as refused:
            import_runs.read_again(wang, run.pk, wrong, cast.now)
        assert refused.value.reasons[0].code == code
    with pytest.raises(Refusal):
        checked(ReadingOptions(time_zone="Asia/Urumqi"), {"encoding"}, ())
    import_runs.read_again(wang, run.pk, ReadingOptions("gb18030", "Asia/Urumqi", constants), cast.now)
    import_runs.work(run.pk, cast.now)
    run.refresh_from_db()
    assert (run.state, run.facts["sureness"], run.facts["zone_name"]) == ("preview", "declared", "Asia/Urumqi")
    assert written(cast, run).state == "done"
    made = Instrument.objects.select_related("site").get(inner_id="G1")
    assert (made.name, made.site.name, made.service_modes) == ("\u70d8\u7bb1", "West hall", ["assisted"])
    assert made.site.time_zone == "Asia/Urumqi"
    with pytest.raises(Conflict):
        import_runs.read_again(wang, run.pk, ReadingOptions(), cast.now)
    # An encoding in which it cannot be read fails in words, and can be chosen otherwise.
    broken = handed(cast, content)
    import_runs.read_again(wang, broken.pk, ReadingOptions("utf-8"), cast.now)
    import_runs.work(broken.pk, cast.now)
    broken.refresh_from_db()
    assert (broken.state, broken.problems[0]["code"]) == ("failed", "import.encoding_wrong")
    import_runs.read_again(wang, broken.pk, ReadingOptions(), cast.now)
    import_runs.work(broken.pk, cast.now)
    broken.refresh_from_db()
    assert (broken.state, broken.finished_at) == ("preview", None)


def test_a_saved_mapping_gets_another_name(cast: Any) -> None:
    first, second = (
        SavedMapping.objects.create(organisation=cast.lab, name=name, document={"fields": {}}, updated_at=cast.now)
        for name in ("One", "Two")
    )
    assert saved_mappings.rename(cast.actor("wang"), first.pk, " Ours ", cast.now).name == "Ours"
    for name, code in (("Two", "import.mapping_name_in_use"), ("", "name.empty")):
        with pytest.raises(Refusal) as refused:
            saved_mappings.rename(cast.actor("wang"), first.pk, name, cast.now)
        assert refused.value.reasons[0].code == code
    with pytest.raises(NotFound):
        saved_mappings.rename(cast.actor("he"), second.pk, "Mine", cast.now)
