"""The OpenAPI document is complete, and every writable route found in it refuses what it does not know and survives junk."""

from __future__ import annotations

import json
import re
from functools import cache
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator

from config.kernel.models import ApiToken
from instruments.models import Instrument, Organisation, User
from tests.api.conftest import codes

JSON = "application/json"


BY_DEVICE = {"/api/v1/device-events/"}
"""Not for people: tested with a device's key where devices are."""


@cache
def description() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def writable() -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, JSON Schema of the body) of every operation that takes JSON."""
    found = []
    for path, method, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if JSON in content and path not in BY_DEVICE:
            found.append((path, method, _resolved(content[JSON]["schema"])))
    return found


def without_body() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, {"properties": {}})
        for path, method, operation in operations()
        if method == "post" and "requestBody" not in operation
    ]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema or "allOf" in schema:
        reference = schema["$ref"] if "$ref" in schema else schema["allOf"][0]["$ref"]
        schema = description()["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return schema


def _ids(cases: list[tuple[str, str, dict[str, Any]]]) -> list[str]:
    return [f"{method} {path.removeprefix('/api/v1/')}" for path, method, _schema in cases]


def address(path: str, cast: Any) -> str:
    """The path with real ids where the test data have one."""
    values = {"user_id": cast.users["lin"].pk, "code": "DEMO-QH-A", "kind": "pdf", "reservation": 1}
    if "organisations/" in path:
        values["id"] = cast.firm.pk
    elif "places/" in path:
        values["id"] = cast.site.pk
    elif "instruments/" in path:
        values["id"] = cast.xrd.pk
    return re.sub(r"{(\w+)}", lambda match: str(values.get(match[1], 1)), path.removeprefix("/api/v1/"))


def test_the_description_has_no_warnings():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_route_of_the_api_is_described():
    patterns = {str(each.pattern) for each in _api_patterns(get_resolver("config.api_urls").url_patterns)}
    described = {_shape(path.removeprefix("/api/v1/")) for path, _method, _operation in operations()}
    missing = {pattern for pattern in patterns if _shape(_as_path(pattern)) not in described}
    assert missing == {"schema/", "^(?P<path>.*)$"}


def _api_patterns(patterns: list[Any]) -> list[Any]:
    return [leaf for each in patterns for leaf in (_api_patterns(each.url_patterns) if hasattr(each, "url_patterns") else [each])]


def _as_path(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>[^)]*\)|<\w+:\w+>", "{}", pattern).strip("^$").replace(r"\Z", "").replace(r"\.", ".")


def _shape(path: str) -> str:
    return re.sub(r"{\w*}", "{}", path)


def test_every_operation_documents_its_problems():
    for path, method, operation in operations():
        problem = operation["responses"]["400"]["content"]["application/problem+json"]["schema"]
        assert problem["$ref"].endswith("/Problem"), (path, method)
        assert "429" in operation["responses"], (path, method)
        assert operation.get("description"), (path, method)


def test_the_description_is_served_to_anybody(api, db):
    served = api().client.get("/api/v1/schema/")
    assert served.status_code == 200 and served.json()["info"]["title"] == "Jishi API"


@pytest.mark.parametrize(("path", "method", "schema"), writable() + without_body(), ids=_ids(writable() + without_body()))
@pytest.mark.parametrize("by_all", [False, pytest.param(True, marks=pytest.mark.proof)])
def test_an_unknown_field_is_refused(api, cast, path, method, schema, by_all):
    """To one of three people in turn; ``make proof`` tries all."""
    people = ("wang",) if path.startswith("/api/v1/places/") else ("zhao", "wang", "qian")  # a place is read by its owner
    for who in people if by_all else people[len(path) % len(people) :][:1]:
        answer = api(who).send(method, address(path, cast), json.dumps({"surprise": 1}).encode())
        assert answer.status_code == 400, (who, answer.content)
        assert {"code": "input.unknown", "field": "surprise"}.items() <= next(
            error for error in answer.json()["errors"] if error["field"] == "surprise"
        ).items()


PROTECTED = {
    "id": 1, "pk": 1, "state": "approved", "status": "verified", "verified_at": "2026-01-01T00:00:00Z", "quality_grade": "A",
    "requested_by": 1, "approved_by": 1, "approver": 1, "author": 1, "issued_by": 1, "user": 1, "user_id": 1, "created_at": None,
    "price": 1, "gross_fen": 1, "payable_now_fen": 1, "final_cost_fen": 1, "subsidy": 1, "total_fen": 1, "number": "JS-1",
    "is_staff": True, "is_superuser": True, "is_active": True, "password": "x", "grants": [], "token_scopes": ["settle"],
    "key": "x", "key_sha256": "x", "revoked_at": None, "my_roles": ["operator"], "decided_by": 1,
}  # fmt: skip


@pytest.mark.parametrize(("path", "method", "schema"), writable() + without_body(), ids=_ids(writable() + without_body()))
def test_what_the_platform_sets_itself_is_refused_by_name(api, cast, path, method, schema):
    client, before = api("zhao"), _everything()
    foreign = {name: value for name, value in PROTECTED.items() if name not in schema.get("properties", {})}
    answer = client.send(method, address(path, cast), json.dumps(foreign).encode())
    assert answer.status_code == 400
    assert set(foreign) <= {error["field"] for error in answer.json()["errors"] if error["code"] == "input.unknown"}
    assert _everything() == before


def _everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Organisation, User, Instrument, ApiToken)]


def test_a_serializer_that_is_not_strict_is_found(api, cast, monkeypatch):
    """Negative control: without the strict base the two tests above would fail."""
    from config.kernel.api.serializers import StrictSerializer

    monkeypatch.delattr(StrictSerializer, "to_internal_value")
    with pytest.raises(AssertionError):
        test_an_unknown_field_is_refused(api, cast, "/api/v1/me/", "patch", {"properties": {}}, by_all=True)


JUNK: list[Any] = [
    None, True, 0, -1, 1.5, 1e300, 2**63, 10**30, 10**4000, "", "0", "x" * 1000, "\U0001f9ea" * 700, "a\u0000b", "\u202egpj",
    "ཏ" * 50, "=cmd()", [], [[]], [None], {}, {"a": {"b": []}}, "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00",
    "2026-02-30", "2026-11-25T09:00:00",
]  # fmt: skip


EVERY = 24
"""Each field gets each twenty-fourth junk, others than its neighbours; ``make proof`` gives it all."""


@pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.proof)])
@pytest.mark.parametrize(("path", "method", "schema"), writable(), ids=_ids(writable()))
def test_junk_in_any_field_is_refused_and_never_breaks_the_server(api, cast, programmes, path, method, schema, every):
    client, target = api("zhao", "read", "book", "manage", "settle"), address(path, cast)
    usual = {name: _plausible(name, part, cast) for name, part in schema.get("properties", {}).items()}
    for place, name in enumerate(usual, len(path)):
        for junk in JUNK[place % every :: every]:
            answer = client.send(method, target, json.dumps({**usual, name: junk}).encode())
            assert answer.status_code < 500, (name, junk)


def _plausible(name: str, part: dict[str, Any], cast: Any) -> Any:
    part = _resolved(part)
    known = {
        "instrument": cast.xrd.pk,
        "organisation": cast.firm.pk,
        "payee": cast.lab.pk,
        "starts_at": "2026-11-25T09:00:00+08:00",
        "ends_at": "2026-11-25T11:00:00+08:00",
        "programme": "DEMO-QH-A",
        "version": "2025.1",
        "month": "2026-10",
        "kind": "firm",
        "role": "researcher",
        "scopes": ["read"],
        "roles": ["researcher"],
        "email": "new@example.org",
        "facts": {},
        "balances": {},
    }
    if name in known:
        return known[name]
    if "enum" in part:
        return part["enum"][0]
    empty = {"string": "x", "integer": 1, "boolean": True, "array": [], "object": {}}
    return empty.get(part.get("type", "string"), "x")


BODIES = {
    "not JSON": b"{",
    "not UTF-8": b'{"a": "\xff"}',
    "a lone surrogate": b'{"full_name": "\\ud800"}',
    "a lone surrogate as a name": b'{"\\ud800": 1}',
    "the same key twice": b'{"full_name": "A", "full_name": "B"}',
    "NaN": b'{"full_name": NaN}',
    "deep": b'{"full_name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "fairly deep": b'{"full_name": ' + b"[" * 50 + b"]" * 50 + b"}",
    "a number without end": b'{"full_name": ' + b"9" * 10_000 + b"}",
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_not_one_plain_object_is_refused(api, name):
    assert api("lin").send("PATCH", "me/", BODIES[name]).status_code == 400


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("not JSON", "line 1, column 2"),
        ("not UTF-8", "not UTF-8"),
        ("a lone surrogate", "not UTF-8"),
        ("the same key twice", "stands twice"),
        ("NaN", "NaN is not JSON"),
        ("deep", "levels are nested"),
        ("fairly deep", "levels are nested"),
        ("a number without end", "too many digits"),
    ],
)
@pytest.mark.parametrize(("who", "method", "path"), [("lin", "PATCH", "me/"), ("li", "POST", "hand-payments/")])
def test_what_cannot_be_read_of_a_body_is_said(api, who, method, path, name, says):
    refused = api(who).send(method, path, BODIES[name])
    assert refused.status_code == 400 and says in refused.content.decode()


def test_a_body_beyond_the_limit_is_refused(api, settings):
    large = b'{"full_name": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    assert api("lin").send("PATCH", "me/", large).status_code == 413


def test_other_media_types_are_refused(api):
    assert api("lin").send("POST", "reservations/", b"a=b", "application/x-www-form-urlencoded").status_code == 415
    assert api("lin").send("POST", "reservations/", b"<a/>", "application/xml").status_code == 415


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
@pytest.mark.parametrize("path", ["nothing/", "reservations/99999999999999999999/", "reservations/x/", "programmes/%00/"])
def test_an_unknown_address_is_a_problem_document(api, db, method, path):
    answer = api().send(method, path, b"")
    assert answer.status_code == 404 and codes(answer) == {"access.no_such_address"}


@pytest.mark.parametrize("path", ["me/", "organisations/", "feed/", "programmes/", "reservations/", "tokens/", "statements/"])
def test_an_unknown_parameter_is_refused_wherever_one_reads(api, path):
    refused = api("qian").get(path, surprise=1)
    assert refused.status_code == 400 and "input.unknown" in codes(refused)


def test_what_is_wrong_with_a_body_is_said_in_the_language_of_each_reader(api, asked, cast):
    def told(language: str) -> str:
        User.objects.filter(pk=cast.users["lin"].pk).update(language=language)
        return str(api("lin").post("reservations/", asked(instrument=2**63)).json()["errors"][0]["detail"])

    in_chinese, in_english = told("zh-hans"), told("en")
    assert in_english.isascii() and not in_chinese.isascii()
    assert told("zh-hans") == in_chinese
