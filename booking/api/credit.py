"""/api/v1/credit-events, /credit-appeals, /credit-rules, /access-list."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from booking.api import training_shapes as shapes
from booking.api.training import BOOK, MANAGE, ByAction
from booking.models import AccessListEntry, CreditAppeal, CreditEvent, CreditRules
from booking.queries import credit as queries
from booking.services import access_lists, credit
from booking.services.access_lists import Listing
from config.kernel.access import get_visible
from config.kernel.api.serializers import StrictSerializer


class CreditEventView(ByAction):
    """What was noted, and the person's word against it."""

    token_scopes = BOOK
    queryset = CreditEvent.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"create": shapes.CreditNoteIn, "appeal": shapes.AppealIn}
    lab_actions = frozenset({"create"})

    @extend_schema(responses=shapes.EventOut(many=True))
    def list(self, request: Request) -> Response:
        """Mine and those at the labs that I manage, the latest first."""
        return self.paged(queries.events_visible(self.actor), shapes.event_out)

    @extend_schema(responses={201: shapes.EventOut})
    def create(self, request: Request) -> Response:
        """The lab gives or takes points by its own word."""
        given = self.valid(request)
        made = credit.note_manual(self.actor, given["organisation"], given["email"], given["points"], given["note"], self.now)
        return Response(shapes.event_out(get_visible(queries.events_visible(self.actor), self.actor, pk=made.pk)), status=201)

    @extend_schema(responses={201: shapes.AppealOut})
    @action(detail=True, methods=["post"])
    def appeal(self, request: Request, pk: str) -> Response:
        """Say why it should not count, once."""
        made = credit.appeal(self.actor, int(pk), self.valid(request)["text"], self.now)
        return Response(shapes.appeal_out(made), status=201)


class CreditAppealView(ByAction):
    """Appeals that wait for my labs."""

    token_scopes = MANAGE
    queryset = CreditAppeal.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"decide": shapes.AppealDecisionIn}

    @extend_schema(responses=shapes.AppealOut(many=True))
    def list(self, request: Request) -> Response:
        return self.paged(queries.open_appeals(self.actor), shapes.appeal_out)

    @extend_schema(responses=shapes.AppealOut)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """By somebody who did not note it. A granted one is taken back by an event of its own."""
        values = self.valid(request)
        decided = credit.decide_appeal(self.actor, int(pk), values["grant"], values["answer"], self.now)
        return Response(shapes.appeal_out(decided))


class CreditRulesView(ByAction):
    """The rules of a lab; 0 stands for the platform's."""

    token_scopes = MANAGE
    queryset = CreditRules.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"update": shapes.RulesIn}

    @extend_schema(responses=shapes.RulesOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        owner_id = int(pk) or None
        stored = queries.stored_rules(self.actor, owner_id)
        return Response({"organisation": owner_id, "document": stored.document if stored else None})

    @extend_schema(responses=shapes.RulesOut)
    def update(self, request: Request, pk: str) -> Response:
        document = self.valid(request)["document"]
        queries.stored_rules(self.actor, int(pk) or None)  # a lab that one does not see is none
        credit.set_rules(self.actor, int(pk) or None, document, self.now)
        return self.retrieve(request, pk)


class AccessListView(ByAction):
    """Who may not book, or to whom measures do not apply."""

    token_scopes = MANAGE
    queryset = AccessListEntry.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"create": shapes.ListingIn}

    @extend_schema(responses=shapes.ListingOut(many=True))
    def list(self, request: Request) -> Response:
        """Entries in force that I may see: about me, or of the labs that I manage."""
        return self.paged(queries.list_entries(self.actor, self.now), shapes.listing_out)

    @extend_schema(responses={201: shapes.ListingOut})
    def create(self, request: Request) -> Response:
        given = self.valid(request)
        listing = Listing(
            given["organisation"],
            given["verdict"],
            given["reason"],
            given["email"],
            given["customer"],
            given["instrument"],
            given["until"],
        )
        return Response(shapes.listing_out(access_lists.put_on_list(self.actor, listing, self.now)), status=201)

    @extend_schema(responses=shapes.ListingOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """It no longer counts."""
        self.valid(request)
        return Response(shapes.listing_out(access_lists.take_off_list(self.actor, int(pk), self.now)))
