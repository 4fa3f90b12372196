"""/api/v1/instruments/N/booking-rules/trial/: what a lab's rules would say to somebody who asked for a time now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.series import ReasonOut, reasons_json
from billing.settlement.services import quotes
from booking.api.serializers import NamedOut
from booking.api.views import range_of
from booking.models import PolicyLayer
from booking.queries import policies as queries
from booking.queries.policies import STRANGERS, Somebody
from config.kernel.api.fields import Id, IdParameter, Instant, Text
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import Refusal
from instruments.models import Instrument, ServiceMode


class RuleTrialParameters(StrictSerializer):
    """Who would ask: a person who has booked at the lab, for the organisation for which they did; without one, somebody of a ``kind`` of
    organisation who has booked nothing yet."""

    starts_at = Instant()
    ends_at = Instant()
    service_mode = serializers.ChoiceField(
        choices=ServiceMode.values, required=False, help_text="The first that the instrument offers when it is left out."
    )
    person = IdParameter(required=False, help_text="With an organisation.")
    organisation = IdParameter(required=False, help_text="With a person.")
    kind = serializers.ChoiceField(
        choices=[kind.value for kind in STRANGERS], required=False, default=STRANGERS[0].value, help_text="Without a person."
    )


class RuleTrialIn(StrictSerializer):
    """Who would ask: whoever has an account with exactly this e-mail address."""

    starts_at = Instant()
    ends_at = Instant()
    service_mode = serializers.ChoiceField(
        choices=ServiceMode.values, required=False, help_text="The first that the instrument offers when it is left out."
    )
    email = Text(max_length=254)
    organisation = Id(required=False, help_text="One for which they book; left out: the first of theirs by name.")


class RuleTrialOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    time_zone = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    service_mode = serializers.CharField()
    allowed = serializers.BooleanField(help_text="Nothing is against it.")
    against = ReasonOut(many=True, help_text="Every rule that forbids it, and whether the time is taken.")
    approval_required = serializers.BooleanField(help_text="The lab's rules ask it to look at requests.")
    at_once = serializers.BooleanField(help_text="It would count without anybody of the lab looking at it.")
    looks_for = ReasonOut(many=True, help_text="Why the lab would look at it all the same; only where it is allowed.")


class RuleTrialByEmailOut(RuleTrialOut):
    organisation = NamedOut(help_text="For which of theirs it was tried.")
    organisations = NamedOut(many=True, help_text="All for which they book.")


class RuleTrialView(ApiView):
    """Trying the rules of an instrument; for its lab's managers."""

    token_scopes = {"GET": "read", "POST": "read"}
    queryset = PolicyLayer.objects.none()
    serializer_class = RuleTrialIn
    parameters_shapes = {"retrieve": RuleTrialParameters}

    @extend_schema(parameters=[RuleTrialParameters], responses=RuleTrialOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """What would be said to them now. Nothing is written and nobody is told."""
        instrument, _combined = queries.effective(self.actor, int(pk))
        asked = self.parameters(request)
        who = self._who(instrument.organisation_id, asked)
        return Response(RuleTrialOut(self._said(instrument, who, asked)).data)

    @extend_schema(responses=RuleTrialByEmailOut, operation_id="instruments_booking_rules_trial_by_email")
    def by_email(self, request: Request, pk: str) -> Response:
        """The same for anybody who has an account, by the exact address. Nobody is searched for, nothing is written and nobody is told."""
        asked = self.valid(request)
        instrument, _combined = queries.effective(self.actor, int(pk))
        theirs = queries.known_by(self.actor, instrument.organisation_id, asked["email"])
        wanted = asked.get("organisation", theirs[0].organisation_id)
        who = next((one for one in theirs if one.organisation_id == wanted), None)
        if who is None:
            raise Refusal.of("policy.organisation_not_theirs", "organisation")
        named = [{"id": one.organisation_id, "name": one.organisation} for one in theirs]
        body = self._said(instrument, who, asked) | {"organisation": named[theirs.index(who)], "organisations": named}
        return Response(RuleTrialByEmailOut(body).data)

    def _said(self, instrument: Instrument, who: Somebody | str, asked: Mapping[str, Any]) -> dict[str, Any]:
        during = range_of(asked)
        mode = asked.get("service_mode") or (instrument.service_modes or [""])[0]
        found = queries.tried(
            self.actor,
            instrument.pk,
            who,
            during,
            mode,
            self.now,
            lambda place, customer: quotes.payable_now(place, customer, during, self.now, mode),
        )
        return {
            "instrument": instrument.pk,
            "time_zone": instrument.site.time_zone,
            "starts_at": during.starts_at,
            "ends_at": during.ends_at,
            "service_mode": mode,
            "allowed": not found.against,
            "against": reasons_json(tuple(found.against)),
            "approval_required": found.approval_required,
            "at_once": found.at_once,
            "looks_for": reasons_json(tuple(found.looks_for)),
        }

    def _who(self, lab_id: int, asked: Mapping[str, Any]) -> Somebody | str:
        """Raises Refusal ``policy.who_incomplete`` for one of both names alone, NotFound for who never booked at the lab."""
        person_id, organisation_id = asked.get("person"), asked.get("organisation")
        if (person_id is None) != (organisation_id is None):
            raise Refusal.of("policy.who_incomplete", "person" if person_id is None else "organisation")
        if person_id is None or organisation_id is None:
            return str(asked["kind"])
        return queries.somebody(self.actor, lab_id, person_id, organisation_id)
