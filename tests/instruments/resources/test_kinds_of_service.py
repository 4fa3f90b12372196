"""A lab marks a test as statutory, certification and so on: in its form, in a list, in a table and through the interface; each is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from frontend.resource_forms import TestItemForm
from instruments.models import TestItem
from instruments.rules.resource_values import clean_part
from instruments.rules.service_kinds import PUBLIC_KINDS
from instruments.services.test_item_import import import_test_items
from tests.instruments.resources.conftest import taken_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("强制检定", "statutory_test"),
        ("认证", "certification"),
        ("law enforcement", "enforcement_inspection"),
        ("商检", "commercial_inspection"),
        ("Medical", "medical"),
        ("普通检测", ""),
        ("", ""),
    ],
)
def test_a_list_says_it_in_words(owner: Any, now: Any, cell: str, kind: str) -> None:
    assert taken_in(import_test_items, f"检测项目,单价,服务类型\nXRD,120,{cell}\n", owner, now).written
    assert TestItem.objects.get().service_kind == kind


def test_a_word_that_is_none_is_refused_at_its_line_and_a_list_without_the_column_changes_nothing(owner: Any, now: Any) -> None:
    refused = taken_in(import_test_items, "检测项目,单价,服务类型\nXRD,120,战争\n", owner, now)
    assert [(reason.code, reason.field) for row in refused.rows for reason in row.reasons] == [
        ("import.value_unknown", "service_kind")
    ]
    taken_in(import_test_items, "检测项目,编号,单价,服务类型\nXRD,A,120,强检\n", owner, now)
    taken_in(import_test_items, "检测项目,编号,单价,检测方法\nXRD,A,120,XRD\n", owner, now)
    assert (TestItem.objects.get().service_kind, TestItem.objects.get().method) == ("statutory_test", "XRD")


def test_the_interface_takes_and_shows_it_and_the_page_says_it(as_: Any, cast: Any) -> None:
    lab = as_("wang")
    head = {"Accept-Language": "en"}

    def send(method: str, path: str, body: dict[str, Any]) -> Any:
        return lab.generic(method, path, json.dumps(body), content_type="application/json", headers=head)

    body = {"organisation_id": cast.lab.pk, "kind": "test_item", "name": "Meters", "published": True}
    made = send("POST", "/api/v1/resources/", body | {"test_item": {"service_kind": "statutory_test"}})
    assert made.status_code == 201, made.content
    path = f"/api/v1/resources/{made.json()['id']}/"
    assert lab.get(path).json()["test_item"]["service_kind"] == "statutory_test"
    assert "statutory test" in Client(headers=head).get(reverse("resource_detail", args=[made.json()["id"]])).content.decode()
    wrong = send("PATCH", path, {"test_item": {"service_kind": "war"}})
    assert wrong.status_code == 422 and "service_kind" in wrong.content.decode()
    assert send("PATCH", path, {"test_item": {"service_kind": "testing"}}).json()["test_item"]["service_kind"] == ""


def test_the_form_offers_every_kind_and_begins_with_ordinary_testing() -> None:
    field = TestItemForm.base_fields["service_kind"]
    assert [code for code, _word in field.choices] == ["", *PUBLIC_KINDS]  # type: ignore[attr-defined]
    assert clean_part("test_item", {"service_kind": "testing"}).values["service_kind"] == ""
