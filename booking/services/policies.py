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
from booking.rules.policy_layers import Combined, Layer, combine, read_settings, rest_document
from booking.rules.quota import Counted
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument, Organisation
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

    Raises NotFound, Forbidden, Refusal with every reason on a field named as the setting, or ``policy.layers_contradict`` naming the
    instrument for which nothing would satisfy all layers.
    """
    owner = get_visible(Organisation.objects.select_for_update(no_key=True), actor, pk=scope.organisation_id)
    actor.require_in(owner.pk, Role.LAB_MANAGER)
    if scope.instrument_id:
        instrument = get_visible(Instrument.objects.all(), actor, pk=scope.instrument_id)
        if instrument.organisation_id != owner.pk:
            raise NotFound.of("access.not_found", model="instrument")
    read_settings(settings, scope.counted)
    own = Q(instrument_id=scope.instrument_id) if scope.instrument_id else Q(instrument=None)
    layer = PolicyLayer.objects.filter(own, organisation=owner, class_code=scope.class_code).first() or PolicyLayer(
        organisation=owner, class_code=scope.class_code, instrument_id=scope.instrument_id
    )
    before = dict(layer.said)
    layer.said, layer.changed_at, layer.changed_by_id = dict(settings), now, actor.user_id
    layer.save()
    audit.record(actor, "policy.say", layer, now, before=before, after=layer.said, reason=reason)
    apply(list(Instrument.objects.filter(scope.instruments(), organisation=owner).values_list("pk", flat=True)), now)
    return layer


def apply(instrument_ids: Sequence[int], now: datetime) -> int:
    """Make the policies of these instruments what their layers say; returns how many changed. Where no layer of the owner speaks,
    nothing is touched."""
    changed = follow_instruments(instrument_ids)
    catalogue.refresh_instruments(changed, now)
    return len(changed)


def follow_instruments(instrument_ids: Sequence[int]) -> list[int]:
    """As ``apply``, without the catalogue: the listener of ``instruments.ports.instruments_changed``; returns what changed."""
    changed = []
    for instrument, wanted, differs in _compared(Instrument.objects.filter(pk__in=instrument_ids)):
        if differs:
            row = getattr(instrument, "policy", None)
            wanted.pk = row.pk if row else None
            wanted.save(force_insert=row is None, force_update=row is not None)
            changed.append(instrument.pk)
    return changed


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


def _layers_of_owners(rows: QuerySet[Instrument]) -> dict[int, list[PolicyLayer]]:
    """The layers of those owners of these instruments that have any: one query."""
    found: dict[int, list[PolicyLayer]] = {}
    for layer in PolicyLayer.objects.filter(organisation__in=rows.values("organisation")).order_by("pk"):
        found.setdefault(layer.organisation_id, []).append(layer)
    return found


def combined(instrument: Instrument, layers: Iterable[PolicyLayer]) -> Combined:
    """What holds for the instrument, given its owner's layers, with the layers' ids as sources.

    Raises Refusal ``policy.layers_contradict``.
    """
    speaking = [layer for layer in layers if _speaks_for(layer, instrument)]
    try:
        return combine([read_layer(layer) for layer in speaking])
    except Refusal as refusal:
        contradiction = Reason("policy.layers_contradict", {"instrument": instrument.name})
        raise Refusal(contradiction, *refusal.reasons) from None


def _counted(layer: PolicyLayer) -> Counted:
    return Counted(layer.instrument_id, layer.class_code)


def _speaks_for(layer: PolicyLayer, instrument: Instrument) -> bool:
    return _counted(layer).counts(instrument.pk, instrument.class_code)


def read_layer(layer: PolicyLayer) -> Layer:
    counted = _counted(layer)
    return Layer(str(layer.pk), counted, read_settings(layer.said, counted))


def effective_row(instrument: Instrument, layers: Iterable[PolicyLayer]) -> InstrumentPolicy:
    """The row that the layers ask for; not stored."""
    policy: BookingPolicy = combined(instrument, layers).policy
    values = {name: getattr(policy, name) for name in COLUMNS}
    values["min_minutes"] = policy.shortest_on_grid_minutes
    return InstrumentPolicy(instrument_id=instrument.pk, rules=rest_document(policy), **values)
