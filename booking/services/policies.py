"""The one writer of booking policies: what a lab says in layers, and what follows for each of its instruments.

Whoever changes a layer changes the policies of all instruments that it is for, in the same transaction. Nothing that is booked already
is undone; ``booking.queries.policies.touched`` says what would break the new rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from booking.models import InstrumentPolicy, PolicyLayer
from booking.rules.policy import BookingPolicy
from booking.rules.policy_layers import (
    Combined,
    Layer,
    combine,
    read_settings,
    rest_document,
    settings_document,
    unlike_the_house,
)
from booking.rules.quota import Counted
from booking.services.context import policy_of
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument, Organisation
from instruments.rules.classification import instrument_classes
from instruments.services import catalogue

COLUMNS = (
    "granularity_minutes",
    "min_minutes",
    "max_minutes",
    "notice_minutes",
    "horizon_days",
    "buffer_before_minutes",
    "buffer_after_minutes",
    "approval_required",
    "pending_blocks",
    "cancel_notice_minutes",
    "no_show_grace_minutes",
)
BATCH = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What a layer is for: all instruments of a lab, those whose class code begins so, or one."""

    organisation_id: int
    class_code: str = ""
    instrument_id: int | None = None

    @property
    def counted(self) -> Counted:
        return Counted(self.instrument_id, self.class_code)

    def instruments(self) -> Q:
        """The condition on the owner's instruments."""
        return Q(pk=self.instrument_id) if self.instrument_id else Q(class_code__startswith=self.class_code)


@whole
def say(actor: Actor, scope: Scope, settings: Mapping[str, Any], now: datetime, reason: str = "") -> PolicyLayer:
    """Set what a layer says, all of it; an empty document takes the layer back.

    A policy that no layer asked for is adopted as its instrument's own layer before a first word about its lab or class.

    Raises NotFound, Forbidden, Refusal with every reason on a field named as the setting, or ``policy.layers_contradict`` naming the
    instrument for which nothing would satisfy all layers (``policy.classes_contradict``: one that may still come).
    """
    owner = get_visible(Organisation.objects.only("pk").select_for_update(no_key=True), actor, pk=scope.organisation_id)
    actor.require_in(owner.pk, Role.LAB_MANAGER)
    if scope.instrument_id:
        instrument = get_visible(Instrument.objects.only("organisation_id"), actor, pk=scope.instrument_id)
        if instrument.organisation_id != owner.pk:
            raise NotFound.of("access.not_found", model="instrument")
    _refuse_scope(scope)
    said = read_settings(settings, scope.counted)
    kept = PolicyLayer.objects.bulk_create(adopted(owner.pk, scope, now), batch_size=BATCH)
    audit.record_many(actor, "policy.adopt", PolicyLayer, ((one.pk, {}, one.said) for one in kept), now)
    own = Q(instrument_id=scope.instrument_id) if scope.instrument_id else Q(instrument=None)
    layer = PolicyLayer.objects.filter(own, organisation=owner, class_code=scope.class_code).first() or PolicyLayer(
        organisation=owner, class_code=scope.class_code, instrument_id=scope.instrument_id
    )
    before = dict(layer.said)
    layer.said, layer.changed_at, layer.changed_by_id = settings_document(said), now, actor.user_id
    layer.save()
    audit.record(actor, "policy.say", layer, now, before=before, after=layer.said, reason=reason)
    apply(list(Instrument.objects.filter(scope.instruments(), organisation=owner).values_list("pk", flat=True)), now)
    if not scope.instrument_id:
        refuse_contradictions(scope, [read_layer(one) for one in PolicyLayer.objects.filter(organisation=owner, instrument=None)])
    return layer


def _refuse_scope(scope: Scope) -> None:
    code = scope.class_code
    if code and scope.instrument_id:
        raise Refusal.of("policy.one_scope", "class_code")
    if code and not (code.isascii() and code.isdigit() and len(code) in {2, 4, 6} and code[:2] in instrument_classes()):
        raise Refusal.of("policy.class_unknown", "class_code")


def refuse_contradictions(scope: Scope, layers: Sequence[Layer]) -> None:
    """Raises Refusal ``policy.classes_contradict`` where an instrument that may still come could not have all that the lab and its
    classes say. ``layers`` are those; what concerns the scope is looked at.
    """
    if scope.instrument_id:
        return
    spoken = {layer.counted.class_code for layer in layers if layer.counted.class_code.startswith(scope.class_code)}
    for code in sorted({scope.class_code, *spoken}):
        try:
            combine([layer for layer in layers if code.startswith(layer.counted.class_code)])
        except Refusal as refusal:
            place = Reason("policy.classes_contradict", {"class_code": code}) if code else Reason("policy.nothing_fits")
            raise Refusal(place, *refusal.reasons) from None


def adopted(owner_id: int, scope: Scope, now: datetime) -> list[PolicyLayer]:
    """The layers, not stored yet, that policies of the scope's instruments stand for which no layer asked for; none for the scope of
    one instrument, about which everything is said anew.
    """
    if scope.instrument_id:
        return []
    layers = [read_layer(one) for one in PolicyLayer.objects.filter(organisation=owner_id)]
    rows = InstrumentPolicy.objects.select_related("instrument").filter(
        instrument__in=Instrument.objects.filter(scope.instruments(), organisation=owner_id)
    )
    found = []
    for row in rows.order_by("instrument"):
        said = {} if any(_speaks_for(layer, row.instrument) for layer in layers) else _said_by_row(row)
        if said:
            found.append(PolicyLayer(organisation_id=owner_id, instrument_id=row.instrument_id, said=said, changed_at=now))
    return found


def _said_by_row(row: InstrumentPolicy) -> dict[str, Any]:
    return settings_document(unlike_the_house(policy_of(row)))


def spoken(scope: Scope) -> dict[str, Any]:
    """What the layer of a scope says; an instrument's policy that no layer asked for counts as said by the instrument."""
    layers = list(PolicyLayer.objects.filter(organisation=scope.organisation_id))
    own = next((one for one in layers if (one.class_code, one.instrument_id) == (scope.class_code, scope.instrument_id)), None)
    if own is not None or not scope.instrument_id:
        return dict(own.said) if own else {}
    row = InstrumentPolicy.objects.select_related("instrument").filter(instrument=scope.instrument_id).first()
    if row is None or any(_speaks_for(read_layer(layer), row.instrument) for layer in layers):
        return {}
    return _said_by_row(row)


def apply(instrument_ids: Sequence[int], now: datetime) -> int:
    """Make the policies of these instruments what their layers say; returns how many changed. Where no layer of the owner speaks,
    nothing is touched."""
    changed = follow_instruments(instrument_ids)
    catalogue.show_instruments(changed, now)
    return len(changed)


def follow_instruments(instrument_ids: Sequence[int]) -> list[int]:
    """As ``apply``, without the catalogue: the listener of ``instruments.ports.instruments_changed``; returns what changed."""
    new: list[InstrumentPolicy] = []
    known: list[InstrumentPolicy] = []
    for instrument, wanted, differs in _compared(Instrument.objects.filter(pk__in=instrument_ids)):
        if differs:
            row = getattr(instrument, "policy", None)
            wanted.pk = row.pk if row else None
            (known if row else new).append(wanted)
    InstrumentPolicy.objects.bulk_create(new, batch_size=BATCH)
    InstrumentPolicy.objects.bulk_update(known, [*COLUMNS, "rules"], batch_size=BATCH)
    return sorted(one.instrument_id for one in (*new, *known))


def differences() -> Iterator[tuple[Instrument, list[str]]]:
    """Every instrument for whose owner layers speak, with the fields in which its policy is not what they say."""
    return ((instrument, differs) for instrument, _wanted, differs in _compared(Instrument.objects.all()))


def _compared(rows: QuerySet[Instrument]) -> Iterator[tuple[Instrument, InstrumentPolicy, list[str]]]:
    """Each of these instruments for whose owner layers speak, what they ask for, and the fields in which its row differs."""
    layers = _layers_of_owners(rows)
    if not layers:
        return
    for instrument in rows.filter(organisation__in=layers).select_related("policy").order_by("pk"):
        speaking = [layer for layer in layers[instrument.organisation_id] if _speaks_for(layer, instrument)]
        if not speaking:
            continue
        wanted = effective_row(instrument, speaking)
        row = getattr(instrument, "policy", None)
        names = (*COLUMNS, "rules")
        yield instrument, wanted, [name for name in names if row is None or getattr(row, name) != getattr(wanted, name)]


def _layers_of_owners(rows: QuerySet[Instrument]) -> dict[int, list[Layer]]:
    """The layers that may speak for one of these instruments, by owner: one query."""
    found: dict[int, list[Layer]] = {}
    theirs = Q(instrument=None) | Q(instrument__in=rows.values("pk"))
    for layer in PolicyLayer.objects.filter(theirs, organisation__in=rows.values("organisation")).order_by("pk"):
        found.setdefault(layer.organisation_id, []).append(read_layer(layer))
    return found


def combined(instrument: Instrument, layers: Iterable[Layer]) -> Combined:
    """What holds for the instrument, given its owner's layers, with the layers' ids as sources.

    Raises Refusal ``policy.layers_contradict``.
    """
    try:
        return combine([layer for layer in layers if _speaks_for(layer, instrument)])
    except Refusal as refusal:
        contradiction = Reason("policy.layers_contradict", {"instrument": instrument.name})
        raise Refusal(contradiction, *refusal.reasons) from None


def _speaks_for(layer: Layer, instrument: Instrument) -> bool:
    return layer.counted.counts(instrument.pk, instrument.class_code)


def read_layer(layer: PolicyLayer) -> Layer:
    """A stored layer, with its id as source."""
    counted = Counted(layer.instrument_id, layer.class_code)
    return Layer(str(layer.pk), counted, read_settings(layer.said, counted, limited=False))


def effective_row(instrument: Instrument, layers: Iterable[Layer]) -> InstrumentPolicy:
    """The row that the layers ask for; not stored."""
    policy: BookingPolicy = combined(instrument, layers).policy
    values = {name: getattr(policy, name) for name in COLUMNS}
    values["min_minutes"] = policy.shortest_on_grid_minutes
    return InstrumentPolicy(instrument_id=instrument.pk, rules=rest_document(policy), **values)
