"""/api/v1/find-a-time: free times over all instruments, with what each costs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.series import ReasonOut, reasons_json
from billing.api.time_items import MOST_ITEMS, TestItemFoundOut, item_row
from billing.pricing.rules.samples import MOST_SAMPLES
from billing.settlement import time_finding
from billing.settlement.models import Charge
from billing.settlement.sample_finding import find_items
from billing.settlement.time_finding import PROFILES, SORTS, Customer, PricedTime
from booking import queries
from booking.queries.candidates import calculating_of
from booking.queries.day_counts import count_by_day
from booking.queries.finding import MOST_FOUND
from booking.rules.eligibility import Outcome
from booking.rules.time_search import LONGEST_MINUTES, NEARNESS_NAMES, SHORTEST_MINUTES, TimeSearch
from config.kernel.api.fields import Day, IdParameter
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import Forbidden
from instruments.api.fields import Division, Technique
from instruments.queries.promises import ItemSearch
from instruments.rules.facets import plain_class
from instruments.rules.regions import division_prefix, regions
from instruments.rules.registry_values import SERVICE_MODES

USUAL_DAYS = 14


class TimeParameters(StrictSerializer):
    """What is looked for, and for whom."""

    minutes = serializers.IntegerField(min_value=SHORTEST_MINUTES, max_value=LONGEST_MINUTES, help_text="How long.")
    q = serializers.CharField(max_length=200, required=False, default="", allow_blank=True, help_text="Words to be found.")
    technique = Technique(default="", help_text="A technique's code.")
    class_code = serializers.RegexField(r"^[0-9]{2,6}$", required=False, default="")
    region_code = Division(default="", help_text="A division, GB/T 2260.")
    zone = serializers.SlugField(max_length=60, required=False, default="", help_text="A policy zone.")
    owner = IdParameter(required=False, default=None)
    service_mode = serializers.ChoiceField(choices=sorted(SERVICE_MODES), required=False, default="")
    no_training = serializers.BooleanField(required=False, default=False)
    no_approval = serializers.BooleanField(required=False, default=False)
    organisation = IdParameter(required=False, default=None, help_text="The customer: one of yours.")
    profile = serializers.ChoiceField(
        choices=sorted(PROFILES), required=False, default="", help_text="Or an assumed one, for an estimate."
    )
    place = Division(default="", help_text="Where the customer is, for the nearness.")
    samples = serializers.IntegerField(
        min_value=1, max_value=MOST_SAMPLES, required=False, default=None, allow_null=True, help_text="For test items."
    )
    sort = serializers.ChoiceField(choices=SORTS, required=False, default=SORTS[0])
    count = serializers.IntegerField(min_value=1, max_value=MOST_FOUND, required=False, default=20)

    def get_fields(self) -> dict[str, Any]:
        first = Day(required=False, help_text="First local day; today when it is left out.")
        last = Day(required=False, help_text="Last local day, included; two weeks later when it is left out.")
        return {**super().get_fields(), "from": first, "to": last}


class TimeOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    owner = serializers.CharField()
    region_code = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    time_zone = serializers.CharField()
    nearness = serializers.ChoiceField(choices=NEARNESS_NAMES)
    eligibility = serializers.ChoiceField(
        choices=[one.value for one in Outcome], help_text="What would become of a request by who asks: by the rules of a booking."
    )
    reasons = ReasonOut(many=True, help_text="For which it would be refused.")
    training_needed = serializers.BooleanField(help_text="Of everybody who has none yet.")
    approval_required = serializers.BooleanField(
        help_text="Requests wait for the lab, but for those that it lets through by rule."
    )
    answer_hours = serializers.FloatField(allow_null=True, help_text="How long the lab usually takes to answer.")
    gross_fen = serializers.IntegerField(allow_null=True, help_text="Null when the lab has no price.")
    payable_now_fen = serializers.IntegerField(allow_null=True)
    final_cost_fen = serializers.IntegerField(allow_null=True)
    estimate = serializers.BooleanField()
    budget_nearly_used_up = serializers.ListField(child=serializers.CharField(), help_text="Codes of programmes.")
    unpublished_years = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Years of it whose holidays are not published yet, where the calendar follows them.",
    )


class TimeDayOut(serializers.Serializer):
    date = serializers.DateField()
    count = serializers.IntegerField()
    more = serializers.BooleanField(help_text="There are at least so many.")
    price_from_fen = serializers.IntegerField(allow_null=True, help_text="Lowest public price of an hour, before subsidy.")


class TimesOut(serializers.Serializer):
    more = serializers.BooleanField()
    exact = serializers.BooleanField(help_text="No other instrument is free earlier than the last row.")
    compared = serializers.IntegerField(allow_null=True, help_text="Among how many times the final cost was compared.")
    sorted_by = serializers.ChoiceField(choices=SORTS, help_text="The nearest to no place at all are the earliest.")
    calculating = serializers.IntegerField(
        help_text="Instruments that fit and whose calendars are being calculated: they may be missing."
    )
    results = TimeOut(many=True)
    days = TimeDayOut(many=True)
    test_items = TestItemFoundOut(many=True, help_text="Where words, a technique or samples were asked for.")


class TimesView(ApiView):
    """Find a time, and test items beside it; anybody may look, at list prices without an organisation or a profile."""

    token_scopes = {"GET": "read"}
    permission_classes = [AllowAny]
    queryset = Charge.objects.none()
    serializer_class = TimesOut
    parameters_shapes = {"list": TimeParameters}

    @extend_schema(parameters=[TimeParameters], responses=TimesOut, operation_id="find_a_time")
    def list(self, request: Request) -> Response:
        """The earliest (cheapest, nearest) free times, each checked against its calendar and policy, and free instruments by day."""
        asked = self.parameters(request)
        today = self.now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
        search = _search(asked, today)
        customer = self._customer(asked)
        origin = asked["place"] or customer.organisation.region_code or search.region_code
        found = time_finding.find(self.actor, search, customer, asked["sort"], self.now, asked["count"], origin)
        return Response(
            {
                "more": found.more or found.others,
                "exact": found.exact,
                "compared": found.compared,
                "sorted_by": found.sort,
                "calculating": calculating_of(search, self.now),
                "results": [_row(row, customer, search.service_mode) for row in found.rows],
                "days": [
                    {
                        "date": day.local_on.isoformat(),
                        "count": day.count,
                        "more": day.more,
                        "price_from_fen": day.price_from_fen,
                    }
                    for day in count_by_day(self.actor, search, self.now, time_finding.meant(customer))
                ],
                "test_items": _test_items(asked, search, customer, origin, self.now),
            }
        )

    def _customer(self, asked: dict[str, Any]) -> Customer:
        if asked["organisation"] is not None:
            own = {one.pk: one for one in queries.bookable_organisations(self.actor)}
            if asked["organisation"] not in own:
                raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
            return time_finding.customer_of(own[asked["organisation"]], self.actor.user_id)
        return time_finding.assumed_customer(asked["profile"], asked["place"] or next(iter(regions())))


def _search(asked: dict[str, Any], today: date) -> TimeSearch:
    first_on = max(asked.get("from") or today, today)
    return TimeSearch(
        duration_minutes=asked["minutes"],
        first_on=first_on,
        last_on=asked.get("to") or first_on + timedelta(days=USUAL_DAYS),
        text=asked["q"],
        class_code=plain_class(asked["class_code"]),
        **{
            name: asked[name]
            for name in (
                "technique",
                "region_code",
                "zone",
                "owner",
                "service_mode",
                "no_training",
                "no_approval",
            )
        },
    )


def _test_items(
    asked: dict[str, Any], search: TimeSearch, customer: Customer, origin: str, now: datetime
) -> list[dict[str, Any]]:
    """The test items, where words, a technique or samples were asked for."""
    if not (search.text or search.technique or asked["samples"]):
        return []
    region = division_prefix(search.region_code) if search.region_code else ""
    wanted = ItemSearch(search.text, search.technique, region, search.zone, search.owner, asked["samples"] or 1)
    found = find_items(wanted, customer, asked["sort"], now, min(asked["count"], MOST_ITEMS), origin)
    return [item_row(row, customer) for row in found.rows]


def _row(row: PricedTime, customer: Customer, service_mode: str) -> dict[str, Any]:
    found, assessment = row.found, row.assessment
    instrument, zone = found.instrument, found.context.zone
    return {
        "instrument": instrument.pk,
        "name": instrument.name,
        "name_en": instrument.name_en,
        "owner": instrument.organisation.name,
        "region_code": instrument.site.region_code or instrument.organisation.region_code,
        "starts_at": found.during.starts_at.astimezone(zone).isoformat(),
        "ends_at": found.during.ends_at.astimezone(zone).isoformat(),
        "time_zone": zone.key,
        "nearness": NEARNESS_NAMES[found.nearness],
        "eligibility": row.eligibility.outcome.value if row.eligibility else Outcome.LOG_IN.value,
        "reasons": reasons_json(row.eligibility.reasons) if row.eligibility else [],
        "training_needed": found.training_needed(service_mode),
        "approval_required": found.context.policy.approval_required,
        "answer_hours": found.answer_hours,
        "gross_fen": assessment.gross_fen if assessment else None,
        "payable_now_fen": assessment.payable_now_fen if assessment else None,
        "final_cost_fen": assessment.final_cost_fen if assessment else None,
        "estimate": customer.assumed or (assessment is not None and assessment.estimate),
        "budget_nearly_used_up": list(row.nearly_used_up),
        "unpublished_years": found.unpublished_years,
    }
