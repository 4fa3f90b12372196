"""Mappings that come as files: they say what the page does not ask, and what is none is refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.booking_rows import check_document
from config.kernel.errors import Forbidden, Refusal
from instruments.models import ImportRun, Instrument, SavedMapping
from instruments.rules.registry_map import TARGETS, parse_map
from instruments.services import import_runs, saved_mappings
from instruments.services.import_runs import Asked

EMSL = django_settings.BASE_DIR / "docs" / "import-maps" / "us-emsl.json"
HEAD = "eus_instrument_id,eus_display_name,eus_instrument_name,eus_available_hours,local_category_name,local_instrument_name,"
LIST = f"{HEAD}eus_active_sw\n7,,MS,10,,,1\n8,,NMR,,,,0\n".encode()
PLAIN: dict[str, Any] = {"fields": {"name": "Name"}}


@pytest.mark.django_db
def test_a_mapping_from_a_file_brings_states_and_hours_on_the_page_too(cast: Any) -> None:
    wang = cast.actor("wang")
    mapping = saved_mappings.add(wang, cast.lab.pk, "EMSL", EMSL.read_bytes(), cast.now)
    run = import_runs.start(wang, Asked("instruments", "saved", cast.lab.pk, mapping.pk), LIST, "emsl.csv", cast.now)
    for _ in range(2):
        import_runs.work(run.pk, cast.now)
        run = ImportRun.objects.get(pk=run.pk)
        if run.state == "preview":
            import_runs.confirm(wang, run.pk, cast.now)
    assert (run.state, run.counts["created"]) == ("done", 2)
    states = dict(Instrument.objects.filter(organisation=cast.lab, inner_id__in=["7", "8"]).values_list("inner_id", "status"))
    assert states == {"7": "normal", "8": "retired"}
    again = saved_mappings.add(wang, cast.lab.pk, "EMSL", json.dumps(mapping.document).encode(), cast.now)
    assert (again.pk, again.document) == (mapping.pk, mapping.document)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "import.map_unreadable"),
        (b"\xff", "import.map_unreadable"),
        (b"[" * 100_000, "import.map_unreadable"),
        (b'{"fields": {"name": "' + b"x" * 300_000 + b'"}}', "import.map_unreadable"),
        (b'{"fields": {"name": {"constant": 1e999}}}', "import.map_unreadable"),
        (b'{"fields": {"name": {"constant": NaN}}}', "import.map_unreadable"),
        (b'{"fields": {"name": "\\u0000"}}', "import.map_unreadable"),
        (b'{"fields": {"name": "\\ud800"}}', "import.map_unreadable"),
        (b"[1]", "import.map_shape"),
        (b'{"fields": {"name": "Name"}, "reading": {"encoding": 5}}', "import.map_shape"),
        (b'{"fields": {"name": "Name"}, "reading": {"encoding": "zip"}}', "import.encoding_unknown"),
        (b'{"fields": {"name": "Name"}, "encoding": "punycode"}', "import.encoding_unknown"),
        (b'{"kind": "centres", "fields": {"name": "Name"}}', "import.kind_unknown"),
        (b'{"kind": "germplasm", "fields": {"name": "Name"}}', "import.map_unknown_key"),
        (b'{"kind": "germplasm", "fields": {"GENUS": "Genus"}}', "import.number_column_missing"),
        (b'{"kind": "germplasm", "fields": {"catalogNumber": "No", "GENUS": "Genus"}}', "import.descriptor_of_another"),
        (b'{"kind": "test_items", "fields": {"name": "Name"}}', "import.map_needs"),
        (
            b'{"kind": "test_items", "fields": {"name": "Name", "price": {"column": "P", "unit": "fen"}}}',
            "import.map_unknown_key",
        ),
        (b'{"kind": "datasets", "fields": {"name": "Name"}, "organisations": "create"}', "import.map_unknown_key"),
        (b'{"kind": ["bookings"], "fields": {}}', "import.kind_unknown"),
        (b'{"kind": "bookings", "fields": {"email": 5}}', "import.map_source"),
        (b'{"kind": "bookings", "fields": {"colour": "Colour"}}', "import.map_unknown_key"),
        (b'{"kind": "bookings", "fields": {"email": "Who"}}', "booking_import.column_missing"),
        (b'{"fields": {"name": "Name"}}', "name.empty"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_in_words_and_kept_nowhere(cast: Any, content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        saved_mappings.add(cast.actor("wang"), cast.lab.pk, " " if code == "name.empty" else "Ours", content, cast.now, "m.json")
    assert {reason.code for reason in refused.value.reasons} == {code}
    assert not SavedMapping.objects.exists()


@pytest.mark.django_db
def test_only_the_operator_keeps_mappings_for_everybody_and_only_managers_those_of_an_owner(cast: Any) -> None:
    content = json.dumps(PLAIN).encode()
    for who, owner in (("wang", None), ("lin", cast.lab.pk), ("li", cast.lab.pk)):
        with pytest.raises(Forbidden):
            saved_mappings.add(cast.actor(who), owner, "Ours", content, cast.now)
        with pytest.raises(Forbidden):
            saved_mappings.add(cast.actor(who), owner, "Ours", b"no mapping", cast.now)
    assert saved_mappings.add(cast.actor("zhou"), None, "Ours", content, cast.now).organisation is None


@pytest.mark.django_db
def test_a_mapping_takes_the_name_of_one_of_its_kind_and_of_no_other(cast: Any) -> None:
    wang, needed = cast.actor("wang"), {"email": "Who", "starts_at": "From", "ends_at": "To", "instrument": "What"}
    saved_mappings.add(wang, cast.lab.pk, "Ours", json.dumps(PLAIN).encode(), cast.now)
    saved_mappings.add(wang, cast.lab.pk, "Ours", json.dumps(PLAIN | {"title": "New"}).encode(), cast.now)
    with pytest.raises(Refusal) as refused:
        saved_mappings.add(wang, cast.lab.pk, "Ours", json.dumps({"kind": "bookings", "fields": needed}).encode(), cast.now)
    assert [reason.code for reason in refused.value.reasons] == ["import.mapping_name_taken"]
    assert SavedMapping.objects.get().document["title"] == "New"


_ONE = st.sampled_from([None, True, -3, 0, 9, 1.5, "", "Name", "a b", ",", "yuan", "08:00-18:00", "10"])
_NAMED = st.sampled_from(["column", "join", "values", "cut", "windows", "list", "weekdays", "10"])
_SOME = _ONE | st.lists(_ONE, max_size=2) | st.dictionaries(_NAMED, _ONE, max_size=2)
_ANY = _SOME | st.dictionaries(_NAMED, _SOME, max_size=3)
_KEYS = ["title", "encoding", "delimiter", "time_zone", "identity", "ignored", "hours_per_day", "organisation_scheme"]


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(_KEYS), st.sampled_from(sorted(TARGETS)), _ANY)
def test_whatever_stands_in_a_mapping_it_is_one_or_refused(key: str, target: str, value: Any) -> None:
    for check in (parse_map, check_document):
        for document in ({key: value, "fields": {"name": "Name"}}, {"fields": {"name": "Name", target: value}}):
            try:
                check(document)
            except Refusal as refusal:
                assert refusal.reasons
