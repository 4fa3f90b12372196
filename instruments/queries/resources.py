"""Reading resources of the other kinds: what is behind an instrument, one resource, an owner's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.search import SearchQueryField
from django.db import connection
from django.db.models import BooleanField, Count, F, Func, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from config.kernel.access import NOBODY, Actor, Role, get_visible, visible_to
from instruments.models import (
    DataSet,
    Instrument,
    Literature,
    Organisation,
    Resource,
    ResourceKind,
    ResourceRequest,
    ResourceRequestState,
    TestItem,
)
from instruments.services import search_tokens
from instruments.services.instrument_changes import manages


def test_items_of(actor: Actor, instrument_id: int) -> list[TestItem]:
    """The published test items that are measured with an instrument, by name, each with its resource, owner and entry in the
    catalogue: one query.

    Nothing for a foreign instrument.
    """
    rows = visible_to(TestItem.objects.filter(instruments__in=_seen(actor, instrument_id), resource__published=True), actor)
    rows = rows.select_related("resource__organisation", "resource__entry").defer(
        "resource__entry__search", "resource__entry__facets"
    )
    return list(rows.order_by("resource__name_pinyin", "pk"))


def supported_by(actor: Actor, instrument_id: int) -> list[DataSet | Literature]:
    """The published data sets and then the literature that an instrument supported, newest first, each with its resource and owner.

    Nothing for a foreign instrument.
    """
    seen = _seen(actor, instrument_id)
    sets = visible_to(DataSet.objects.filter(instruments__in=seen, resource__published=True), actor)
    texts = visible_to(Literature.objects.filter(instruments__in=seen, resource__published=True), actor)
    sets, texts = sets.select_related("resource__organisation"), texts.select_related("resource__organisation")
    return [*sets.order_by(F("issued_on").desc(nulls_last=True), "pk"), *texts.order_by("-issued", "pk")]


def _seen(actor: Actor, instrument_id: int) -> QuerySet[Instrument]:
    return visible_to(Instrument.objects.filter(pk=instrument_id), actor)


def resource_for(actor: Actor, resource_id: int) -> Resource:
    """The resource with its owner and typed part, as the actor may read it. Raises NotFound for a foreign one."""
    return as_shown(actor, get_visible(_whole(Resource.objects.all()), actor, pk=resource_id))


def test_item_for(actor: Actor, resource_id: int) -> Resource:
    """The test item with its owner. Raises NotFound for a foreign one and for a resource of another kind."""
    return get_visible(_whole(Resource.objects.filter(kind=ResourceKind.TEST_ITEM)), actor, pk=resource_id)


def managed_test_item(actor: Actor, resource_id: int) -> Resource:
    """The test item, when the actor may say what it costs: the owner's lab manager or finance, or the operator.

    Raises NotFound, Forbidden.
    """
    resource = test_item_for(actor, resource_id)
    if not actor.has(Role.OPERATOR):
        actor.require_in(resource.organisation_id, Role.LAB_MANAGER, Role.OWNER_FINANCE)
    return resource


def resources_of(actor: Actor, organisation_id: int, kind: str = "") -> QuerySet[Resource]:
    """What the actor may see of an owner's resources (of one kind), by name, with owner and typed part."""
    rows = Resource.objects.filter(organisation_id=organisation_id)
    if kind:
        rows = rows.filter(kind=kind)
    return visible_to(_whole(rows), actor).order_by("kind", "name_pinyin", "pk")


def search_resources(
    actor: Actor, text: str = "", kind: str = "", owner_id: int | None = None, instrument_id: int | None = None
) -> QuerySet[Resource]:
    """What the actor may see of what is asked for, the best match first when words are given, else by name.

    ``instrument_id``: what is measured with that instrument and what it supported; nothing for a foreign one.
    """
    rows = visible_to(_whole(Resource.objects.all()), actor)
    if kind:
        rows = rows.filter(kind=kind)
    if owner_id is not None:
        rows = rows.filter(organisation_id=owner_id)
    if instrument_id is not None:
        seen = visible_to(Instrument.objects.filter(pk=instrument_id), actor).values("pk")
        behind = Q(test_item__instruments__in=seen) | Q(literature__instruments__in=seen) | Q(dataset__instruments__in=seen)
        rows = rows.filter(pk__in=Resource.objects.filter(behind).values("pk"))
    if not text.strip():
        return rows.order_by("name_pinyin", "pk")
    asked = search_tokens.query(text.replace("\0", " "))
    if not asked:
        return rows.none()
    query = Cast(Value(asked), SearchQueryField())
    rows = rows.filter(
        RawSQL("instruments_catalogueentry.search @@ %s::tsquery", [asked], output_field=BooleanField()), entry__isnull=False
    )
    return rows.order_by(Func(F("entry__search"), query, function="ts_rank").desc(), "name_pinyin", "pk")


def germplasm_of(actor: Actor, organisation_id: int) -> list[Resource]:
    """An owner's accessions that the actor may see, in the order in which they came."""
    return list(resources_of(actor, organisation_id, ResourceKind.GERMPLASM).order_by("pk"))


def may_manage_resource(actor: Actor, resource: Resource) -> bool:
    """Whether the actor may change it and answers requests for it."""
    return manages(actor, resource.organisation_id)


def as_shown(actor: Actor, resource: Resource) -> Resource:
    """The resource as the actor may read it: columns of its file that no field takes may hold anything, people's numbers too, and are
    for those who manage it."""
    if not may_manage_resource(actor, resource):
        resource.attributes = {}
    return resource


def _whole(rows: QuerySet[Resource]) -> QuerySet[Resource]:
    return rows.select_related("organisation", "test_item", "germplasm", "dataset", "literature")


def requests_visible(actor: Actor) -> QuerySet[ResourceRequest]:
    """The requests that the actor may see, newest first, with resource, owner, asking organisation and person."""
    rows = ResourceRequest.objects.select_related("resource__organisation", "organisation", "requested_by", "decided_by")
    return visible_to(rows.select_related("delivered_file"), actor).order_by("-requested_at", "-pk")


def my_requests(actor: Actor) -> QuerySet[ResourceRequest]:
    """What the actor's organisations asked for, newest first."""
    return requests_visible(actor).filter(organisation_id__in=actor.organisations())


def request_inbox(actor: Actor) -> QuerySet[ResourceRequest]:
    """What the actor's lab is asked for, newest first."""
    return requests_visible(actor).filter(resource__organisation_id__in=actor.organisations(Role.LAB_MANAGER))


def request_for(actor: Actor, request_id: int) -> ResourceRequest:
    """One request. Raises NotFound for a foreign one."""
    return get_visible(requests_visible(actor), actor, pk=request_id)


def may_answer(actor: Actor, request: ResourceRequest) -> bool:
    """Whether the actor approves, refuses and delivers it."""
    return request.resource.organisation_id in actor.organisations(Role.LAB_MANAGER)


def is_asking(actor: Actor, request: ResourceRequest) -> bool:
    """Whether the actor belongs to the organisation that asks."""
    return request.organisation_id in actor.organisations()


def asking_organisations(actor: Actor, resource: Resource) -> list[Organisation]:
    """For whom the actor may request a resource, by name: every organisation of theirs but its owner."""
    rows = visible_to(Organisation.objects.filter(pk__in=actor.organisations() - {resource.organisation_id}), actor)
    return list(rows.order_by("name_pinyin", "pk"))


@dataclass(frozen=True, slots=True)
class KindStatistics:
    """How one kind of resource is asked for. ``median_days`` from request to delivery; nothing here names anybody."""

    kind: str
    resources: int
    requested: int
    refused: int
    delivered: int
    median_days: Decimal | None
    ratings: int
    mean_rating: Decimal | None


_STATISTICS = """
SELECT resource.kind, count(*), count(*) FILTER (WHERE request.state = 'refused'), count(request.delivered_at),
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM request.delivered_at - request.requested_at))
              FILTER (WHERE request.delivered_at IS NOT NULL) / 86400)::numeric, 1),
       count(request.rating), round(avg(request.rating), 1)
  FROM instruments_resourcerequest AS request JOIN instruments_resource AS resource ON resource.id = request.resource_id
 WHERE %(owner)s::bigint IS NULL OR resource.organisation_id = %(owner)s
 GROUP BY resource.kind
"""


def sharing_owners(actor: Actor) -> list[Organisation]:
    """The actor's own institutions that share something or did, by name: the counts of these are theirs to see alone."""
    mine = Organisation.objects.filter(pk__in=actor.organisations(), resources__isnull=False)
    return list(visible_to(mine, actor).distinct().order_by("name_pinyin", "pk"))


def statistics(owner: Organisation | None = None) -> list[KindStatistics]:
    """What is shared and how it is asked for, kind by kind: on the whole platform for everybody, or of one of ``sharing_owners``."""
    rows = visible_to(Resource.objects.all(), NOBODY)
    rows = rows if owner is None else rows.filter(organisation=owner)
    shared = Counter(dict(rows.values_list("kind").annotate(found=Count("pk"))))
    with connection.cursor() as cursor:
        cursor.execute(_STATISTICS, {"owner": owner.pk if owner is not None else None})
        asked = {row[0]: row[1:] for row in cursor.fetchall()}
    return [
        KindStatistics(kind.value, shared[kind.value], *asked.get(kind.value, (0, 0, 0, None, 0, None))) for kind in ResourceKind
    ]


def linked_instruments(actor: Actor, resource: Resource) -> list[Instrument]:
    """The instruments behind a test item, a data set or literature that the actor may see, by name; none for germplasm."""
    if resource.kind == ResourceKind.GERMPLASM:
        return []
    behind = {"test_item": "test_items", "dataset": "data_sets", "literature": "literature"}[resource.kind]
    rows = visible_to(Instrument.objects.filter(**{behind: resource.pk}), actor)
    return list(rows.select_related("organisation", "site").order_by("name_pinyin", "pk"))


def instruments_to_name(actor: Actor, organisation_id: int, resource: Resource | None, most: int) -> list[Instrument]:
    """The instruments that a form offers: the owner's, by name, and those that the resource names already."""
    rows = visible_to(Instrument.objects.filter(organisation_id=organisation_id), actor)
    found = list(rows.order_by("name_pinyin", "pk")[:most])
    known = {instrument.pk for instrument in found}
    linked = linked_instruments(actor, resource) if resource is not None else []
    return found + [instrument for instrument in linked if instrument.pk not in known]


def open_request_of(actor: Actor, resource: Resource) -> ResourceRequest | None:
    """The newest request of the actor's organisations for a resource that is not finished yet."""
    waiting = (ResourceRequestState.REQUESTED, ResourceRequestState.APPROVED, ResourceRequestState.DELIVERED)
    return my_requests(actor).filter(resource=resource, state__in=waiting).first()


def own_resources(actor: Actor, organisation_ids: Iterable[int], kind: str = "", text: str = "") -> QuerySet[Resource]:
    """What these owners share, drafts too, as far as the actor may see it; found and sorted as ``search_resources`` does."""
    return search_resources(actor, text, kind).filter(organisation_id__in=list(organisation_ids))
