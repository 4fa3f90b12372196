"""What a price can be written for: an instrument, a test item, or a family of either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.pricing.models import PriceFamily
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound
from instruments.models import Instrument, Resource, ResourceKind

#: Who says what something of a lab costs.
PRICERS = (Role.LAB_MANAGER, Role.OWNER_FINANCE)


class Kind(StrEnum):
    """As addresses and forms call it."""

    INSTRUMENT = "instrument"
    TEST_ITEM = "test_item"
    FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Subject:
    """``instruments`` or ``test_items`` (resources) are what a version is published for: the thing itself, or a family's members.

    ``zone`` is where its dates are meant. An empty family has neither.
    """

    kind: Kind
    pk: int
    organisation_id: int
    name: str
    name_en: str
    zone: ZoneInfo
    instruments: tuple[Instrument, ...] = ()
    test_items: tuple[Resource, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether its price is for what is counted, not for time on an instrument."""
        return bool(self.test_items)

    @property
    def key(self) -> dict[str, int]:
        """The column of ``PriceDraft`` that names it."""
        return {f"{self.kind}_id": self.pk}

    def today(self, now: datetime) -> date:
        """Its local date."""
        return now.astimezone(self.zone).date()


def subject_for(actor: Actor, kind: str, pk: int) -> Subject:
    """The thing whose price the actor may write. Raises NotFound for what the actor does not see, Forbidden for what is others'."""
    if kind not in list(Kind):
        raise NotFound.of("access.not_found")
    subject = _FINDERS[Kind(kind)](actor, pk)
    actor.require_in(subject.organisation_id, *PRICERS)
    return subject


def _instrument(actor: Actor, pk: int) -> Subject:
    row = get_visible(Instrument.objects.select_related("site"), actor, pk=pk)
    return Subject(Kind.INSTRUMENT, pk, row.organisation_id, row.name, row.name_en, ZoneInfo(row.site.time_zone), (row,))


def _test_item(actor: Actor, pk: int) -> Subject:
    rows = Resource.objects.filter(kind=ResourceKind.TEST_ITEM).select_related("test_item")
    row = get_visible(rows, actor, pk=pk)
    return Subject(Kind.TEST_ITEM, pk, row.organisation_id, row.name, row.name_en, ZoneInfo(settings.TIME_ZONE), (), (row,))


def _family(actor: Actor, pk: int) -> Subject:
    family = get_visible(PriceFamily.objects.all(), actor, pk=pk)
    instruments = tuple(Instrument.objects.filter(price_family_member__family=family).select_related("site").order_by("pk"))
    items = Resource.objects.filter(test_item__price_family_member__family=family).select_related("test_item")
    zone = instruments[0].site.time_zone if instruments else settings.TIME_ZONE
    found = (instruments, tuple(items.order_by("pk")))
    return Subject(Kind.FAMILY, pk, family.organisation_id, family.name, "", ZoneInfo(zone), *found)


_FINDERS = {Kind.INSTRUMENT: _instrument, Kind.TEST_ITEM: _test_item, Kind.FAMILY: _family}
