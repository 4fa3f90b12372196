"""/api/v1/quotes, /programmes, /instruments/{id}/price, /charges, /statements and accepting new figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import serializers as texts
from billing.api import shapes
from billing.claims.publicity_since import publicity_since
from billing.ledger.rules.documents import DocumentError
from billing.month.paid_out import came_of_each
from billing.pricing import drafts
from billing.pricing import services as pricing
from billing.pricing.subjects import subject_for
from billing.settlement import fee_figures
from billing.settlement import queries as statement_reads
from billing.settlement.models import Charge, Quote, Statement
from billing.settlement.reservation_figures import latest_quote_for
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.services import fees, later_questions, quotes, session_extras, statements
from billing.subsidy import ends
from billing.subsidy import queries as subsidy
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.queries import KnownVersion
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.outcome import Balance
from booking.api.serializers import StateOut, said_of
from booking.api.views import ReservationActionView, expected_of, range_of
from booking.models import Reservation
from booking.services import transitions
from booking.services.service_facts import may_be_corrected
from config.kernel.access import get_visible
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from instruments import queries as registry

CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description="The programme's code, for example DEMO-QH-A.")
KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=["pdf", "xlsx", "csv", "json"], description="Which document.")
RESERVATION = OpenApiParameter("reservation", int, OpenApiParameter.PATH, description="The reservation's id.")


class PreviewView(ApiView):
    """What a session would cost; nothing is written."""

    token_scopes = {"POST": "read"}
    queryset = Charge.objects.none()
    serializer_class = texts.PreviewIn

    @extend_schema(responses=texts.PreviewOut)
    def create(self, request: Request) -> Response:
        """The four numbers, what each programme says and why, what is left of each limit, and what the add-ons come to."""
        asked = self.valid(request)
        whose = (self.actor, asked["instrument"], asked["organisation"])
        found = quotes.preview(
            *whose,
            range_of(asked),
            self.now,
            asked.get("service_mode", ""),
            asked["research_project"],
            for_person_id=asked.get("for_person"),
            direction=asked["service_direction"],
            said=said_of(asked),
        )
        chosen = [(each["addon"], each["quantity"]) for each in asked["addons"]]
        Refusal.raise_any(session_extras.faults_of_choice(found.addons, chosen))
        return Response(shapes.preview_json(found, dict(chosen)))


class AcceptQuoteView(ReservationActionView):
    """The customer's yes to new figures; with a token of scope ``book``."""

    token_scopes = {"POST": "book"}
    bodies = {"accept_quote": texts.AcceptQuoteIn}

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def accept_quote(self, request: Request, pk: str) -> Response:
        """Accept the figures that wait, so that the lab can approve again."""
        return self.step(request, pk, lambda key, values: quotes.accept_quote(self.actor, key, self.now, expected_of(values)))


class PriceView(ApiView):
    """The published price of an instrument; anybody may look."""

    token_scopes = {"GET": "read", "POST": "manage"}
    permission_classes = [IsAuthenticatedOrReadOnly]
    queryset = Charge.objects.none()
    parameters_shapes = {"retrieve": texts.PriceParameters}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return texts.PriceIn if self.request.method == "POST" else texts.PriceOut

    @extend_schema(responses={201: texts.PriceOut})
    def create(self, request: Request, pk: str) -> Response:
        """Publish a price schedule (docs/prices.md), by the lab's managers and finance. What was in force stays for what was quoted."""
        asked = self.valid(request)
        subject = subject_for(self.actor, "instrument", int(pk))
        on = asked.get("effective_from") or subject.today(self.now)
        drafts.publish_document(self.actor, subject, asked["document"], on, asked.get("confirmed", []), self.now)
        version_id = pricing.version_id_in_force(subject.pk, on)
        assert version_id is not None
        return Response(shapes.price_json(subject.pk, on.isoformat(), pricing.schedule(version_id)), status=201)

    @extend_schema(parameters=[texts.PriceParameters], responses=texts.PriceOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Rates per hour by customer class and band; 404 with code price.none when the lab has published none."""
        instrument = registry.instrument_for(self.actor, int(pk))
        on = self.parameters(request).get("on") or self.now.astimezone(ZoneInfo(instrument.site.time_zone)).date()
        version_id = pricing.version_id_in_force(instrument.pk, on)
        if version_id is None:
            raise NotFound.of("price.none")
        return Response(shapes.price_json(instrument.pk, on.isoformat(), pricing.schedule(version_id)))


class ProgrammeView(ApiView):
    """Published programmes, and trying facts on them; anybody may."""

    token_scopes = {"GET": "read", "POST": "read"}
    permission_classes = [AllowAny]
    queryset = ProgrammeVersion.objects.none()
    serializer_class = texts.EvaluateIn
    parameters_shapes = {"retrieve": texts.ProgrammeParameters}

    @extend_schema(responses=texts.ProgrammesOut, operation_id="programmes_list")
    def list(self, request: Request) -> Response:
        """Of every programme the version in force, else the latest."""
        return Response(
            {"results": [shapes.programme_json(each) for each in subsidy.programmes_visible(self.actor, self._today)]}
        )

    @extend_schema(parameters=[CODE, texts.ProgrammeParameters], responses=texts.ProgrammeDetailOut)
    def retrieve(self, request: Request, code: str) -> Response:
        """One version with its whole document and what is left of its budgets."""
        versions = subsidy.programme_versions(self.actor, code, self._today)
        chosen = _chosen(versions, self.parameters(request).get("version"))
        pools = subsidy.pools_of(self.actor, [chosen]).get(chosen.version.pk, [])
        ended = ends.end_that_counts(ends.ends_of(self.actor, chosen.version))
        return Response(shapes.programme_detail_json(chosen, versions, pools, ended))

    @extend_schema(responses=texts.OutcomeOut)
    def evaluate(self, request: Request) -> Response:
        """What a programme would give for these facts. Pure: no account is read, nothing is written."""
        asked = self.valid(request)
        versions = subsidy.programme_versions(self.actor, asked["programme"], self._today)
        programme = _chosen(versions, asked.get("version")).programme
        try:
            facts = parse_facts(asked["facts"])
        except DocumentError as error:
            raise ValidationError(texts.as_errors([(fault.path, fault.message) for fault in error.faults])) from error
        known = {cap.id for cap in (*programme.joint_caps, *programme.payer_caps)}
        balances = _balances(asked.get("balances", {}), known)
        return Response(shapes.outcome_json(evaluate(programme, facts, balances), programme))

    @property
    def _today(self) -> date:
        return self.now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _chosen(versions: Sequence[KnownVersion], label: str | None) -> KnownVersion:
    """The version called ``label``, else the one in force, else the latest. Raises NotFound."""
    if label is None:
        return next((each for each in versions if each.state == "current"), versions[0])
    found = next((each for each in versions if each.programme.version == label), None)
    if found is None:
        raise NotFound.of("access.not_found", model="programme")
    return found


def _balances(asked: Mapping[str, Mapping[str, Any]], known: set[str]) -> dict[str, Balance]:
    unknown = sorted(set(asked) - known)
    if unknown:
        raise ValidationError({f"balances.{name[:80]}": "The programme has no limit of this name." for name in unknown})
    return {cap_id: Balance(each["limit_fen"], each["used_fen"]) for cap_id, each in asked.items()}


class ChargeView(ApiView):
    """What a session was charged, as it was frozen."""

    token_scopes = {"GET": "read"}
    queryset = Charge.objects.none()
    serializer_class = texts.ChargeOut

    @extend_schema(parameters=[RESERVATION])
    def retrieve(self, request: Request, reservation: str) -> Response:
        """The four numbers, what each programme gave, and every step with its sentence."""
        charge = get_visible(Charge.objects.all(), self.actor, reservation_id=int(reservation))
        return Response({**shapes.frozen_json(charge), "reservation": charge.reservation_id})


class QuoteView(ApiView):
    """What a reservation was promised, as it was frozen."""

    token_scopes = {"GET": "read"}
    queryset = Quote.objects.none()
    serializer_class = texts.QuoteOut

    @extend_schema(operation_id="reservations_quote_retrieve")
    def retrieve(self, request: Request, pk: str) -> Response:
        """The latest quote: the four numbers, what each programme gives, and every step with its sentence."""
        quote = latest_quote_for(self.actor, int(pk))
        dates = {name: getattr(quote, name) for name in ("valid_until", "accepted_at", "held_at")}
        said = {name: moment.isoformat() if moment else None for name, moment in dates.items()}
        booked = quote.reservation
        coming = later_questions.coming(quote, self.now) if booked is not None and may_be_corrected(booked) else ()
        later = shapes.asked_later_json(coming)
        own = {"reservation": quote.reservation_id, "revision": quote.revision, "asked_later": later}
        return Response({**shapes.frozen_json(quote), **own, **said})


class FeeView(ApiView):
    """What giving a reservation back would cost, and the fee that was taken."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = Reservation.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return texts.WaiveIn if self.action == "waive" else texts.ReservationFeeOut

    @extend_schema(operation_id="reservations_fee_waive", parameters=[IDEMPOTENT], responses=texts.FeeOut)
    def waive(self, request: Request, pk: str) -> Response:
        """The lab takes off a fee what it does not want of the customer, once, with a reason; not for one's own booking."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            relief = fees.waive(self.actor, int(pk), asked["amount_fen"], asked["reason"], self.now)
            found = relief.fee.reservation
            state = fee_figures.fee_of(self.actor, found)
            return shapes.fee_json(state, ZoneInfo(found.instrument.site.time_zone)) if state else {}

        return self.once(request, f"fee.waive:{pk}", effect, status=200)

    @extend_schema(operation_id="reservations_fee_retrieve")
    def retrieve(self, request: Request, pk: str) -> Response:
        """To be shown before cancelling (send ``expected_fee_fen`` with it), and afterwards with what fell away."""
        rows = Reservation.objects.select_related("instrument__site", "instrument__policy", "organisation")
        found = get_visible(rows, self.actor, pk=int(pk))
        zone = ZoneInfo(found.instrument.site.time_zone)
        may_cancel = transitions.may_cancel(found, self.actor, self.now)
        preview = fee_figures.if_cancelled(self.actor, found, self.now) if may_cancel else None
        state = fee_figures.fee_of(self.actor, found)
        return Response(
            {
                "reservation": found.pk,
                "if_cancelled": shapes.if_cancelled_json(preview, zone) if preview else None,
                "fee": shapes.fee_json(state, zone) if state else None,
            }
        )


class StatementView(ApiView):
    """Settlement statements: reading and issuing; a token needs the scope ``settle`` to issue."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = Statement.objects.none()
    parameters_shapes = {"list": texts.StatementParameters}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return texts.StatementIn if self.action == "create" else texts.StatementOut

    @extend_schema(parameters=[texts.StatementParameters], responses=texts.StatementOut(many=True))
    def list(self, request: Request) -> Response:
        """The statements that one may see, the latest first."""
        asked = self.parameters(request)
        rows = statement_reads.statements_visible(self.actor)
        if "month" in asked:
            rows = rows.filter(period_on=first_day_of(asked["month"]))
        if "payee" in asked:
            rows = rows.filter(payee_id=asked["payee"])
        if "render_state" in asked:
            rows = rows.filter(render_state=asked["render_state"])
        return self.paged_together(rows, _statements_json)

    @extend_schema(responses=texts.StatementDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One statement with its frozen content."""
        found = statement_reads.statement_for(self.actor, int(pk))
        (said,) = _statements_json([found])
        return Response({**said, "content": found.content})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: texts.IssuedOut, 200: texts.IssuedOut})
    def create(self, request: Request) -> Response:
        """Number and freeze what was awarded to a payee in a month; the worker makes the documents afterwards.

        200 when this Idempotency-Key has issued before.
        """
        key, asked = self.idempotency_key(request), self.valid(request)
        seen = asked.get("expected")
        issued = statements.issue_once(
            self.actor,
            asked["programme_version"],
            asked["payee"],
            first_day_of(asked["month"]),
            self.now,
            idempotency_key=key,
            expected=Expected(**seen) if seen else None,
            mode=asked.get("mode", ""),
        )
        url = reverse("api_statement", args=[issued.statement_id])
        body = {"id": issued.statement_id, "number": issued.number, "url": url}
        if issued.replayed:
            return Response(body, headers={REPLAYED: "true"})
        return Response(body, status=201, headers={"Location": url})

    @extend_schema(
        parameters=[KIND],
        operation_id="statements_download",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX, byte for byte as it was made once; 422 until it has been made."""
        found = statement_reads.document(self.actor, int(pk), kind, publicity_since)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)


def _statements_json(rows: Sequence[Statement]) -> list[dict[str, Any]]:
    """Statements with what became of each; read together."""
    known = came_of_each(rows)
    return [shapes.statement_json(each, known[each.pk]) for each in rows]


def first_day_of(month: str) -> date:
    """Of a month written ``2026-10``."""
    return datetime.strptime(month, "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
