"""/api/v1/programme-drafts and /programme-trials: writing a programme version, and trying one on past sessions and commissioned
tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.serializers import MOST_FEN
from billing.sandbox import queries as trials
from billing.sandbox.models import RunState, SandboxRun
from billing.sandbox.services import running
from billing.subsidy import draft_queries, drafts
from billing.subsidy.draft_models import DraftState, ProgrammeDraft
from billing.subsidy.ending import Beside
from billing.subsidy.rules.checking import Flaw, check
from billing.subsidy.rules.other_years import MOST_YEARS
from config.kernel.api.fields import Day, Id, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.messages import reason_sentence, sentence


class DraftIn(StrictSerializer):
    """One of three beginnings: a shipped document, a version, or a document of one's own."""

    template = Text(required=False, max_length=60, help_text="The name of a shipped document, for example HE-LF.")
    version = Id(required=False, help_text="The id of a programme version.")
    document = serializers.DictField(required=False, help_text="docs/programmes.md; kept as it is, whatever is wrong with it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"document": "Give exactly one of template, version and document."})
        return attrs


class DraftSaveIn(StrictSerializer):
    revision = WholeNumber(help_text="The revision that the change starts from; with an older one nothing is kept (409).")
    document = serializers.DictField()


class DraftRevisionIn(StrictSerializer):
    revision = WholeNumber(help_text="The revision that was looked at; with another one nothing is done (409).")


class DraftApproveIn(DraftRevisionIn):
    ends = Id(
        required=False,
        help_text="The id of the version that ends for it, as the draft's ``ends`` says; without it nothing may end (422).",
    )


class DraftYearsIn(DraftRevisionIn):
    years = serializers.IntegerField(
        min_value=-MOST_YEARS, max_value=MOST_YEARS, help_text="So many years later; below zero earlier, never 0."
    )


class DraftReasonIn(StrictSerializer):
    reason = Text(max_length=drafts.REASON_LENGTH)


class FlawOut(serializers.Serializer):
    path = serializers.CharField(help_text="JSON path of the field.")
    code = serializers.CharField()
    sentence = serializers.CharField(help_text="What is wrong and how to mend it.")


class DraftRow(serializers.Serializer):
    id = serializers.IntegerField()
    code = serializers.CharField()
    state = serializers.ChoiceField(choices=DraftState.values)
    revision = serializers.IntegerField()
    changed_at = serializers.DateTimeField()
    version = serializers.IntegerField(allow_null=True, help_text="The published version that it became.")


class EndingOut(serializers.Serializer):
    version = serializers.IntegerField()
    version_label = serializers.CharField()
    last_before = serializers.DateField(help_text="Its last day now.")
    last_on = serializers.DateField(help_text="Its last day once the draft is published: the day before the draft's first.")


class DraftOut(DraftRow):
    document = serializers.DictField()
    text = serializers.CharField(help_text="What was typed as text and cannot be read; empty otherwise.")
    flaws = FlawOut(many=True)
    warnings = FlawOut(many=True, help_text="What keeps nothing from being published, and may be meant otherwise.")
    examples_passed = serializers.IntegerField()
    examples = serializers.IntegerField()
    ends = EndingOut(allow_null=True, help_text="The published version that ends when this one is published; null: none does.")
    days_taken = FlawOut(many=True, help_text="Published versions that hold on its days and cannot end for it.")


class TrialIn(StrictSerializer):
    draft = Id(required=False)
    version = Id(required=False)
    against = Id(required=False, help_text="The version that it is held against.")
    vouchers_of = Id(required=False, help_text="The programme whose vouchers stand behind what is tried, in place of its own.")
    first_on = Day()
    last_on = Day()
    budget_fen = WholeNumber(required=False, max_value=MOST_FEN, help_text="In place of the budget of the document's pools.")
    rate_step_percent = WholeNumber(default=10)
    cap_step_percent = WholeNumber(default=20)


class TrialRow(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=RunState.values)
    first_on = serializers.DateField()
    last_on = serializers.DateField()
    done_sessions = serializers.IntegerField()
    total_sessions = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class TrialOut(TrialRow):
    result = serializers.DictField(allow_null=True, help_text="What came out, in fen; null until it is done.")


class DraftView(ApiView):
    """Drafts of programme versions of one's office; a token needs the scope ``manage`` to write."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage", "PUT": "manage"}
    queryset = ProgrammeDraft.objects.none()
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": DraftIn,
        "update": DraftSaveIn,
        "submit": DraftRevisionIn,
        "approve": DraftApproveIn,
        "move_years": DraftYearsIn,
        "send_back": DraftReasonIn,
        "drop": DraftReasonIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action or "", NoFields)

    @extend_schema(responses=DraftRow(many=True))
    def list(self, request: Request) -> Response:
        """The drafts that I read, the latest change first."""
        return self.paged(draft_queries.drafts_visible(self.actor), draft_row)

    @extend_schema(responses=DraftOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One draft with everything that is wrong with it."""
        return self._shown(draft_queries.draft_for(self.actor, int(pk)))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: DraftOut})
    def create(self, request: Request) -> Response:
        """Begin a draft; a document is kept as it is."""
        given = self.valid(request)

        def effect() -> dict[str, Any]:
            if "template" in given:
                made = drafts.start_from_template(self.actor, given["template"], self.now)
            elif "version" in given:
                made = drafts.start_from_version(self.actor, given["version"], self.now)
            else:
                made = drafts.start(self.actor, given["document"], self.now)
            return draft_out(made, self.now)

        return self.once(request, "programme_draft.start", effect)

    @extend_schema(responses=DraftOut)
    def update(self, request: Request, pk: str) -> Response:
        """Keep a document as it is, whatever is wrong with it; the answer says what is."""
        given = self.valid(request)
        return self._shown(drafts.save(self.actor, int(pk), given["revision"], given["document"], self.now))

    @extend_schema(responses=DraftOut)
    def move_years(self, request: Request, pk: str) -> Response:
        """Move all days of its rules and worked examples by whole years; the label, the clauses and the sources stay."""
        given = self.valid(request)
        return self._shown(drafts.move_years(self.actor, int(pk), given["revision"], given["years"], self.now))

    @extend_schema(responses=DraftOut)
    def submit(self, request: Request, pk: str) -> Response:
        """Hand it in for a second officer; 422 with every fault and its path."""
        return self._shown(drafts.submit(self.actor, int(pk), self.valid(request)["revision"], self.now))

    @extend_schema(responses=DraftOut)
    def take_back(self, request: Request, pk: str) -> Response:
        """Who handed it in goes on writing."""
        self.valid(request)
        return self._shown(drafts.take_back(self.actor, int(pk), self.now))

    @extend_schema(responses=DraftOut)
    def send_back(self, request: Request, pk: str) -> Response:
        """The second officer wants changes and says which."""
        return self._shown(drafts.send_back(self.actor, int(pk), self.valid(request)["reason"], self.now))

    @extend_schema(responses=DraftOut)
    def approve(self, request: Request, pk: str) -> Response:
        """Put it in force, as an officer who wrote nothing in it; the version that ends for it is named."""
        given = self.valid(request)
        drafts.approve(self.actor, int(pk), given["revision"], self.now, given.get("ends"))
        return self._shown(draft_queries.draft_for(self.actor, int(pk)))

    @extend_schema(responses=DraftOut)
    def drop(self, request: Request, pk: str) -> Response:
        """Give it up; it stays readable."""
        return self._shown(drafts.drop(self.actor, int(pk), self.valid(request)["reason"], self.now))

    def _shown(self, draft: ProgrammeDraft) -> Response:
        return Response(draft_out(draft, self.now))


class TrialView(ApiView):
    """Trials of programmes on past sessions and commissioned tests; the worker does them."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage"}
    queryset = SandboxRun.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return TrialIn if self.action == "create" else NoFields

    @extend_schema(responses=TrialRow(many=True))
    def list(self, request: Request) -> Response:
        """The trials that I read, the newest first."""
        return self.paged(trials.runs_visible(self.actor), trial_row)

    @extend_schema(responses=TrialOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """How far it is, and what came out."""
        run = trials.run_for(self.actor, int(pk))
        return Response({**trial_row(run), "result": run.result})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: TrialRow})
    def create(self, request: Request) -> Response:
        """Have a draft or a version tried on the charged sessions and commissioned tests of a period."""
        given = self.valid(request)
        asked = running.Asked(
            first_on=given["first_on"],
            last_on=given["last_on"],
            draft_id=given.get("draft"),
            version_id=given.get("version"),
            against_id=given.get("against"),
            budget_fen=given.get("budget_fen"),
            rate_step_percent=given["rate_step_percent"],
            cap_step_percent=given["cap_step_percent"],
            vouchers_of_id=given.get("vouchers_of"),
        )
        return self.once(request, "programme_trial.start", lambda: trial_row(running.start(self.actor, asked, self.now)))

    @extend_schema(responses=TrialRow)
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop the work."""
        self.valid(request)
        return Response(trial_row(running.cancel(self.actor, int(pk), self.now)))

    @extend_schema(responses=TrialRow)
    def resume(self, request: Request, pk: str) -> Response:
        """Go on with one that was stopped or failed, from what was written down last."""
        self.valid(request)
        return Response(trial_row(running.resume(self.actor, int(pk), self.now)))


def draft_row(draft: ProgrammeDraft) -> dict[str, Any]:
    """A draft in a list."""
    return {
        "id": draft.pk,
        "code": drafts.code_of(draft.document),
        "state": draft.state,
        "revision": draft.revision,
        "changed_at": draft.changed_at.isoformat(),
        "version": draft.version_id,
    }


def _flaws(flaws: Sequence[Flaw]) -> list[dict[str, Any]]:
    return [{"path": each.path, "code": each.code, "sentence": sentence(each.code, each.params)} for each in flaws]


def draft_out(draft: ProgrammeDraft, now: datetime) -> dict[str, Any]:
    """A draft with its document and faults, and what publishing it now would end."""
    checked = check(draft.document)
    beside = Beside(None, ()) if checked.flaws else draft_queries.beside_published(draft, now)
    ends = beside.ends
    return {
        **draft_row(draft),
        "document": draft.document,
        "text": draft.text,
        "flaws": _flaws(checked.flaws),
        "warnings": _flaws(checked.warnings),
        "examples_passed": sum(each.passed for each in checked.examples),
        "examples": len(checked.examples),
        "ends": ends
        and {
            "version": ends.version.pk,
            "version_label": ends.version.label,
            "last_before": ends.last_before.isoformat(),
            "last_on": ends.last_on.isoformat(),
        },
        "days_taken": [{"path": each.field, "code": each.code, "sentence": reason_sentence(each)} for each in beside.reasons],
    }


def trial_row(run: SandboxRun) -> dict[str, Any]:
    """A trial without what came out."""
    return {
        "id": run.pk,
        "state": run.state,
        "first_on": run.first_on.isoformat(),
        "last_on": run.last_on.isoformat(),
        "done_sessions": run.done_sessions,
        "total_sessions": run.total_sessions,
        "created_at": run.created_at.isoformat(),
    }
