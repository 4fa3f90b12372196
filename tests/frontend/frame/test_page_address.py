"""Where a page says that it can be opened: once, with one query, and unescaped where it goes into another address."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.frontend.acting import as_

__all__ = ["as_"]
pytestmark = pytest.mark.django_db


def test_the_language_menu_leads_back_to_the_same_query_and_no_second_one(as_) -> None:
    def leads_to(page) -> str:
        return re.search(r'name="next" value="([^"]*)"', page.content.decode())[1]

    lin = as_("lin")
    assert leads_to(lin.get(reverse("here_now"), {"s": "P"})) == "/here/?s=P"
    gone = lin.post(
        f"{reverse('licence_act', args=[999999])}?page=2", {}, headers={"Referer": "http://testserver/licences/?page=2"}
    )
    assert gone.status_code in {403, 404} and leads_to(gone) == "/licences/?page=2"


def test_who_logs_in_from_a_hidden_page_comes_back_with_all_that_was_asked(db) -> None:
    page = Client().get("/instruments/999999/", {"a": "1", "b": "2"})
    assert page.status_code == 404 and "next=/instruments/999999/%3Fa%3D1%26b%3D2" in page.content.decode()
