"""The customer's own purchase-order number of a sample job stands on its bill, as that of a booking does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest, local_day
from billing.models import PurchaseOrder
from billing.payments import prepaid_queries as queries
from billing.prepaid.services import setting
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.services import tokens

pytestmark = pytest.mark.django_db


def test_a_jobs_number_is_kept_changed_and_stands_on_the_bill_until_it_is_billed(cast: Any, work: Any) -> None:
    lin, now = cast.actor("lin"), cast.now
    job = work.reported()
    other = work.close(work.reported())
    setting.set_job_order_number(lin, job.pk, "PO-1", now)
    setting.set_job_order_number(lin, job.pk, "PO-2", now)
    assert queries.job_order_number(lin, job.pk) == "PO-2" and queries.job_order_number(lin, other.pk) == ""
    for who, raised in (("he", NotFound), ("li", Forbidden)):
        with pytest.raises(raised):
            setting.set_job_order_number(cast.actor(who), job.pk, "X", now)
    with pytest.raises(Refusal) as refused:
        setting.set_job_order_number(lin, job.pk, "x" * 61, now)
    assert refused.value.reasons[0].field == "number"
    work.close(job)
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, local_day(work.now)), work.now)
    assert sorted(line.get("purchase_order", "") for line in bill.content["lines"]) == ["", "PO-2"]
    with pytest.raises(Refusal) as billed:
        setting.set_job_order_number(lin, job.pk, "PO-3", now)
    assert billed.value.reasons[0].code == "order_number.billed"
    with pytest.raises(IntegrityError, match="purchase_order_of_one_thing"), transaction.atomic():
        PurchaseOrder.objects.create(number="X", set_by=cast.users["lin"], set_at=now)


def test_the_page_and_the_api_keep_it(cast: Any, work: Any) -> None:
    job = work.ask()
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["lin"])
    assert client.post(f"/samples/{job.pk}/order-number", {"number": "PO-7"}).status_code == 302
    assert "PO-7" in client.get(f"/samples/{job.pk}/").content.decode()
    long = client.post(f"/samples/{job.pk}/order-number", {"number": "y" * 61})
    assert long.status_code == 422 and "y" * 61 in long.content.decode()
    client.force_login(cast.users["wang"])
    seen = client.get(f"/samples/{job.pk}/").content.decode()
    assert "PO-7" in seen and "order-number" not in seen
    token = tokens.issue(cast.actor("lin"), "x", ["read", "settle"], cast.now)
    api, path = Client(headers={"Authorization": f"Bearer {token}"}), f"/api/v1/sample-jobs/{job.pk}/order-number/"
    assert api.put(path, {"number": "PO-8"}, content_type="application/json").json() == {"number": "PO-8"}
    assert api.get(path).json() == {"number": "PO-8"}
