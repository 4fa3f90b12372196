"""Questions of the cast: Lin of Gaoyuan asks the Kunlun lab; a second lab (Zangbo) with manager Bo."""

from __future__ import annotations

from uuid import uuid4

import pytest

from booking.services import enquiries
from booking.services.enquiries import Question, UnmetNeed


@pytest.fixture
def ask(cast):
    """``ask()``: the id of Lin's question about the diffractometer; the rest by name."""

    def make(who="lin", firm=None, text="Can it measure wet salts?", files=(), now=None, key="", **fields):
        firm = firm or (cast.other_firm if who == "he" else cast.firm)
        about = fields or {"instrument_id": cast.xrd.pk}
        question = Question(firm.pk, "Wet salts", text, **about)
        return enquiries.ask(cast.actor(who), question, files, now or cast.now, idempotency_key=key or str(uuid4())).pk

    return make


@pytest.fixture
def write(cast):
    def make(who, enquiry_id, text="Yes, up to 20 % water.", files=(), now=None, key=""):
        actor = cast.actor(who)
        return enquiries.write(actor, enquiry_id, text, files, now or cast.now, idempotency_key=key or str(uuid4()))

    return make


@pytest.fixture
def second_lab(cast):
    from config.kernel.access import Role
    from instruments.models import Membership, Organisation, User

    lab = Organisation.objects.create(
        kind="owner", name="Zangbo Institute", status="verified", verified_at=cast.now, name_key="zangbo", created_at=cast.now
    )
    cast.users["bo"] = User.objects.create(email="bo@example.org", full_name="Bo", password="!", language="en")
    Membership.objects.create(user=cast.users["bo"], organisation=lab, role=Role.LAB_MANAGER, created_at=cast.now)
    return lab


@pytest.fixture
def post_need(cast, second_lab):
    def make(labs=None, who="lin", key="", **fields):
        wanted = tuple(labs if labs is not None else (cast.lab.pk, second_lab.pk))
        need = UnmetNeed(cast.firm.pk, "Isotopes of lithium", "Who measures 7Li in brine?", wanted, **fields)
        return enquiries.post_need(cast.actor(who), need, (), cast.now, idempotency_key=key or str(uuid4())).pk

    return make
