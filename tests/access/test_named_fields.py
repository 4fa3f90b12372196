"""What the API refuses about money names a field of the request, so that a program knows what to mend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import resolve
from rest_framework import serializers

from config.kernel.api import problems
from tests.access.asking import OURS, address, ask
from tests.access.matrix import API, Route, Rule
from tests.access.world import ROLES, World

pytestmark = pytest.mark.django_db

#: Endpoints of money by the beginning of their name.
MONEY = (
    "api_account_statements",
    "api_allocation",
    "api_bank",
    "api_bill",
    "api_claim",
    "api_claw",
    "api_credit_note",
    "api_deput",
    "api_dunning",
    "api_hand_payment",
    "api_invoice",
    "api_month",
    "api_office",
    "api_payment",
    "api_prepaid",
    "api_programme_account",
    "api_programme_end",
    "api_programme_figure",
    "api_programme_top_up",
    "api_receipts",
    "api_repayment",
    "api_research_group_cards",
    "api_reservation_fee",
    "api_reservation_fund_card",
    "api_reservation_order_number",
    "api_sample_job_order_number",
    "api_spending_limit",
    "api_spending_rules",
    "api_surplus",
    "api_voucher",
)
BEYOND = {"", "Idempotency-Key", "non_field_errors"}
"""What no field of the body is to blame for."""


def wrong(field: serializers.Field) -> tuple[Any, ...]:
    """Values of the right type that a rule refuses, where the type lets some through."""
    if isinstance(field, serializers.BooleanField | serializers.FileField):
        return ()
    if isinstance(field, serializers.IntegerField):
        return (0, 10**14)
    if isinstance(field, serializers.DateField):
        return ("2024-01-01", "2031-12-31")
    if isinstance(field, serializers.ListField | serializers.BaseSerializer):
        return ([],)
    return (" ", "x" * 600)


def names(shape: serializers.BaseSerializer) -> set[str]:
    """The fields of a body, those within others as they are named in errors."""
    found = set()
    for name, field in shape.fields.items():
        found.add(name)
        inner = getattr(field, "child", field)
        if isinstance(inner, serializers.BaseSerializer):
            found |= names(inner)
    return found


def bodies(
    world: World, only: tuple[str, ...] | str = MONEY
) -> Iterator[tuple[str, Route, Rule, str, serializers.BaseSerializer]]:
    """The endpoints of money that take a body as JSON, with a method and the shape of the body."""
    for name, route in sorted(API.items()):
        for method, rule in route.methods.items():
            if not name.startswith(only) or rule.body is None or rule.as_form or method == "GET":
                continue
            match = resolve(address(world, name, route, OURS).partition("?")[0])
            view: Any = match.func
            made = view.cls(**view.initkwargs)
            made.action, made.request, made.format_kwarg, made.kwargs = view.actions[method.lower()], None, None, match.kwargs
            yield name, route, rule, method, made.get_serializer_class()()


def faults_of(world: World, only: tuple[str, ...] | str = MONEY) -> tuple[list[str], set[str]]:
    """Each field that is named in a refusal and is none of the body, and the fields that were named as they are."""
    faults, named = [], set()
    for name, route, rule, method, shape in bodies(world, only):
        role = next(each for each in ROLES if each in rule.may)
        known, url = names(shape), address(world, name, route, OURS)
        for field, kind in shape.fields.items():
            for value in wrong(kind):
                answer = ask(world, role, method, url, (rule.body or dict)(world) | {field: value}, as_json=True)
                assert answer.status < 500, (name, field, value, answer.body)
                if 400 <= answer.status < 500:
                    errors = json.loads(answer.body)["errors"]
                    said = {each["field"].partition(".")[0].partition("[")[0] for each in errors}
                    faults += [f"{name} with {field}={value!r:.20} names {each}" for each in sorted(said - known - BEYOND)]
                    named |= {f"{name} {each}" for each in said & known}
    return faults, named


def test_each_field_that_a_refusal_of_money_names_is_one_of_the_request(world: World) -> None:
    faults, named = faults_of(world)
    assert faults == []
    assert {
        "api_prepaid_withdraw amount_fen",
        "api_spending_limits limit_fen",
        "api_dunning_exemptions until_on",
        "api_account_statements last_on",
        "api_deputies last_on",
        "api_month_runs month",
        "api_office_deputies until_on",
        "api_programme_account_top_up amount_fen",
        "api_bills until_on",
    } <= named


def test_a_field_of_another_name_would_be_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the services said ``amount`` where the request has ``amount_fen``."""
    monkeypatch.setattr(problems, "_entry", lambda reason: {"field": reason.field.removesuffix("_fen")})
    faults, _named = faults_of(world, "api_payment_give")
    assert any("names amount" in fault for fault in faults)
