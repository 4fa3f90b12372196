"""/api/v1/month-board, /month-runs, /month-drafts, /month-lines, /month-closings and /month-exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import month_shapes as shapes
from billing.api.bill_shapes import MoneyMadeOut
from billing.month import board as boards
from billing.month import queries
from billing.month.models import Draft, DraftLine, DraftRun, MonthExport
from billing.month.services import closing, exporting, holding, releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.period_models import ClosedPeriod
from billing.settlement.rules.series import Series, series_named
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields
from config.kernel.api.views import ApiView
from config.kernel.errors import NotFound
from config.kernel.http import attachment


def series_of(asked: dict[str, Any]) -> Series:
    """The series that was asked for. Raises NotFound."""
    found = series_named(asked["series"])
    if found is None:
        raise NotFound.of("access.not_found", model="month")
    return found


def run_request(asked: dict[str, Any]) -> RunRequest:
    """What a run is asked for."""
    return RunRequest(series_of(asked), shapes.month_of(asked["month"]), asked["due_days"], tuple(asked["parties"]))


class BoardView(ApiView):
    """What of a month stands where between use and money."""

    token_scopes = {"GET": "read"}
    queryset = DraftRun.objects.none()
    serializer_class = shapes.MonthBoardOut
    parameters_shapes = {"retrieve": shapes.MonthParameters}

    @extend_schema(parameters=[shapes.MonthParameters], responses=shapes.MonthBoardOut)
    def retrieve(self, request: Request) -> Response:
        """Each stage with its count, its amount, what blocks it and who has to act."""
        self.actor.require(*queries.READERS)
        asked = self.parameters(request)
        return Response(shapes.board_json(boards.board(self.actor, series_of(asked), shapes.month_of(asked["month"]), self.now)))


class MonthRunView(ApiView):
    """The drafts of a month; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = DraftRun.objects.none()
    parameters_shapes = {"drafts": shapes.DraftParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "dry_run": shapes.RunIn,
        "create": shapes.RunMakeIn,
        "send_back": shapes.MonthReasonIn,
        "hand_over": NoFields,
        "release": NoFields,
        "issue_again": NoFields,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.MonthRunOut)

    @extend_schema(responses={200: shapes.DryRunOut}, operation_id="month_runs_dry_run")
    def dry_run(self, request: Request) -> Response:
        """What would be drafted now, and how it differs from the last run; writes nothing."""
        asked = run_request(self.valid(request))
        return Response(shapes.dry_run_json(running.dry_run(self.actor, asked, self.now), asked.series))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.RunMadeOut})
    def create(self, request: Request) -> Response:
        """Keep what a dry run finds as drafts to be reviewed."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            run, new = running.make(self.actor, run_request(asked), self.now, expected=asked["expected_sha256"])
            return {"id": run.pk, "new": new}

        return self.once(request, "month.run", effect)

    @extend_schema(responses=shapes.MonthRunDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One run, with what its drafts come to now and the equations that have to hold."""
        return Response(shapes.run_detail_json(queries.run_for(self.actor, int(pk))))

    @extend_schema(
        parameters=[shapes.DraftParameters], responses=shapes.MonthDraftOut(many=True), operation_id="month_runs_drafts"
    )
    def drafts(self, request: Request, pk: str) -> Response:
        """The drafts of a run, the largest first."""
        asked = self.parameters(request)
        run = queries.run_for(self.actor, int(pk))
        return self.paged(queries.drafts_of(run, asked.get("show", "all"), asked.get("text", "")), shapes.draft_json)

    def _move(self, request: Request, pk: str, action: str, work: Callable[[], DraftRun]) -> Response:
        return self.once(request, f"month.{action}:{pk}", lambda: {"id": work().pk}, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def hand_over(self, request: Request, pk: str) -> Response:
        """The drafts are reviewed: nothing of them changes until a second person releases them or sends them back."""
        self.valid(request)
        return self._move(request, pk, "hand_over", lambda: releasing.hand_over(self.actor, int(pk), self.now))

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def send_back(self, request: Request, pk: str) -> Response:
        """Have them reviewed again, with a reason."""
        reason = self.valid(request)["reason"]
        return self._move(request, pk, "send_back", lambda: releasing.send_back(self.actor, int(pk), reason, self.now))

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def release(self, request: Request, pk: str) -> Response:
        """Have the worker issue every draft that is ready; from an amount on by another person than its maker."""
        self.valid(request)
        return self._move(request, pk, "release", lambda: releasing.release(self.actor, int(pk), self.now))

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.TriedOut)
    def issue_again(self, request: Request, pk: str) -> Response:
        """Try the drafts again that failed."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": int(pk), "drafts": releasing.issue_again(self.actor, int(pk), self.now)}

        return self.once(request, f"month.issue_again:{pk}", effect, status=200)


class MonthDraftView(ApiView):
    """One draft and its lines."""

    token_scopes = {"GET": "read"}
    queryset = Draft.objects.none()
    serializer_class = shapes.MonthDraftOut

    @extend_schema(responses=shapes.MonthDraftOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """What a payer's bill, or a payee's statement, would say."""
        return Response(shapes.draft_json(queries.draft_for(self.actor, int(pk))))

    @extend_schema(responses=shapes.MonthDraftLineOut(many=True), operation_id="month_drafts_lines")
    def lines(self, request: Request, pk: str) -> Response:
        """Its lines, with what is odd about them."""
        return self.paged(queries.lines_of(queries.draft_for(self.actor, int(pk))), shapes.line_json)


class MonthLineView(ApiView):
    """Leaving lines out of drafts; a token needs the scope ``settle``."""

    token_scopes = {"POST": "settle"}
    queryset = DraftLine.objects.none()
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {"take_in": NoFields}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.MonthReasonIn)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def exclude(self, request: Request, pk: str) -> Response:
        """Until it is taken in again."""
        reason = self.valid(request)["reason"]

        def effect() -> dict[str, Any]:
            holding.exclude(self.actor, int(pk), reason, self.now)
            return {"id": int(pk)}

        return self.once(request, f"month.exclude:{pk}", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def postpone(self, request: Request, pk: str) -> Response:
        """To the next month."""
        reason = self.valid(request)["reason"]

        def effect() -> dict[str, Any]:
            holding.postpone(self.actor, int(pk), reason, self.now)
            return {"id": int(pk)}

        return self.once(request, f"month.postpone:{pk}", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def take_in(self, request: Request, pk: str) -> Response:
        """It stands on its draft again."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            holding.take_in(self.actor, int(pk), self.now)
            return {"id": int(pk)}

        return self.once(request, f"month.take_in:{pk}", effect, status=200)


class MonthClosingView(ApiView):
    """Closing months for good; a token needs the scope ``settle``."""

    token_scopes = {"POST": "settle"}
    queryset = ClosedPeriod.objects.none()
    serializer_class = shapes.MonthIn

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """The month and all before it take no new line; there is no way back."""
        asked = self.valid(request)
        series = series_of(asked)
        return self.once(
            request,
            "month.close",
            lambda: {"id": closing.close(self.actor, series, shapes.month_of(asked["month"]), self.now).pk},
        )


class MonthExportView(ApiView):
    """Archives of a month's documents; a token needs the scope ``settle`` to have one made."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = MonthExport.objects.none()
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {"create": shapes.MonthIn, "cancel": NoFields, "resume": NoFields}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.MonthExportOut)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Have it made; one that is at work already is answered as it is."""
        asked = self.valid(request)
        series = series_of(asked)
        return self.once(
            request,
            "month.export",
            lambda: {"id": exporting.start(self.actor, series, shapes.month_of(asked["month"]), self.now).pk},
        )

    @extend_schema(responses=shapes.MonthExportOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """How far it is."""
        export = queries.export_for(self.actor, int(pk))
        return Response(shapes.export_json(export, queries.progress_of(export, self.now)))

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop the work; what is made stays made."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            exporting.cancel(self.actor, int(pk), self.now)
            return {"id": int(pk)}

        return self.once(request, f"month.export_cancel:{pk}", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def resume(self, request: Request, pk: str) -> Response:
        """Go on where it stopped, try what failed again, or make an expired archive again, to the same bytes."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            exporting.resume(self.actor, int(pk), self.now)
            return {"id": int(pk)}

        return self.once(request, f"month.export_resume:{pk}", effect, status=200)

    @extend_schema(operation_id="month_exports_file", responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def file(self, request: Request, pk: str) -> HttpResponse:
        """The archive, byte for byte; 422 until it is made and after it expired."""
        found = queries.archive_for(self.actor, int(pk), self.now)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)
