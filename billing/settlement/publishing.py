"""Where and when the lines of a statement are made public: its batch does that after the issue, so the paper says what is planned.

Batches know settlements, not the other way round; so they are reached by name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.apps import apps
from django.conf import settings
from django.urls import reverse

from billing.settlement.rules.statement import Batch, Publishing
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.public_days import public_days


def planned(version: ProgrammeVersion, mode: str, service_days: Collection[date], today: date) -> Publishing:
    """The page on which everything is public, for how many days, and the batches of the programme that take such services and are not
    closed; one query."""
    rows = apps.get_model("billing", "ClaimBatch")._default_manager.filter(
        programme=version.programme_id,
        mode=mode,
        closed_at__isnull=True,
        closes_on__gte=today,
        from_on__lte=max(service_days),
        until_on__gte=min(service_days),
    )
    found = rows.order_by("opens_on", "pk").values_list("number", "opens_on", "closes_on")
    at = settings.PUBLIC_URL + reverse("publicity_list")
    return Publishing(at, public_days(version.document), tuple(Batch(*row) for row in found))
