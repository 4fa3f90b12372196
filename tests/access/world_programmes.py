"""A draft of a programme and a trial of each office: ours, and another that nobody of the matrix works for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from billing.sandbox.services import running
from billing.subsidy import drafts
from config.kernel.access import Role
from instruments.models import Membership, Organisation, User
from instruments.queries import actor_for
from tests.conftest import programme_document

DAYS = (date(2026, 10, 1), date(2026, 10, 31))


def build(world: Any, now: datetime) -> None:
    world.other_office = Organisation.objects.create(
        kind="government", name="Other office", name_key="other office", status="verified", verified_at=now, created_at=now
    )
    officer = User.objects.create(email="mu@example.org", full_name="Mu", password="!", language="en")
    Membership.objects.create(user=officer, organisation=world.other_office, role=Role.PROGRAMME_OFFICER, created_at=now)
    for actor in (world.cast.actor("chen"), actor_for(officer)):
        draft = drafts.start(actor, programme_document("DEMO-QH-V"), now)
        run = running.start(actor, running.Asked(*DAYS, draft_id=draft.pk), now)
        running.work(run.pk, now)
        for kind, pk in (("draft", draft.pk), ("trial", run.pk)):
            world.objects[kind] = (*world.objects.get(kind, ()), pk)
