"""/api/v1/recheck-samples and /recheck-items: settled claims drawn for the re-check, and what inspectors find of them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.claim_shapes import ClaimMadeOut
from billing.claims import recheck_queries as queries
from billing.claims.recheck_models import Outcome, RecheckAnswer, RecheckItem, RecheckSample
from billing.claims.rules.sampling import Method, Plan
from billing.claims.services import answering, rechecking
from billing.claims.services.answering import Answer
from billing.claims.services.rechecking import MOST_FEN, DrawInput, Found
from config.kernel.api.fields import Day, Id, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import PageParameters, StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView

_TEXT = 2000  # longer is refused as input; the service says what really fits


class RecheckDrawIn(StrictSerializer):
    from_on = Day(help_text="First day on which the last part of a claim was paid.")
    until_on = Day(help_text="Last such day, included.")
    programme = Id(required=False, allow_null=True, default=None, help_text="Of this programme; null: of all.")
    method = serializers.ChoiceField(
        choices=[each.value for each in Method], help_text="``random``: every claim alike. ``amount``: every yuan alike."
    )
    seed = Text(max_length=_TEXT, help_text="With it anybody draws the same claims again.")
    size = WholeNumber(required=False, allow_null=True, default=None, help_text="How many; or ``share``.")
    share = WholeNumber(
        required=False, allow_null=True, default=None, help_text="Per cent of the claims, rounded up; or ``size``."
    )


class RecheckFindingIn(StrictSerializer):
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    difference_fen = WholeNumber(
        required=False, default=0, min_value=-MOST_FEN, max_value=MOST_FEN, help_text="Paid too much; below nil: too little."
    )
    reason = Text(max_length=_TEXT, required=False, default="", allow_blank=True, help_text="Needed with a difference.")


class RecheckAnswerIn(StrictSerializer):
    finding = WholeNumber(min_value=1, help_text="Place of the finding that was read, among those of the claim in its sample.")
    amount_fen = WholeNumber(min_value=0, max_value=MOST_FEN, help_text="What comes back; 0: nothing.")
    position = WholeNumber(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        help_text="Of which line of the claim; null: the first that holds it, else one after the other.",
    )
    reason = Text(max_length=_TEXT, help_text="On the claw-back notice, or why nothing comes back.")


class RecheckSampleOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    programme = serializers.CharField(allow_null=True)
    from_on = serializers.DateField()
    until_on = serializers.DateField()
    method = serializers.ChoiceField(choices=[each.value for each in Method])
    seed = serializers.CharField()
    size = serializers.IntegerField(allow_null=True)
    share = serializers.IntegerField(allow_null=True)
    claim_count = serializers.IntegerField(help_text="Settled claims from which it was drawn.")
    claim_fen = serializers.IntegerField()
    drawn_count = serializers.IntegerField()
    drawn_fen = serializers.IntegerField()
    population_sha256 = serializers.CharField(help_text="Of ids and amounts of the claims from which it was drawn.")
    drawn_at = serializers.DateTimeField()
    looked_at = serializers.IntegerField()
    differing = serializers.IntegerField()
    difference_fen = serializers.IntegerField(help_text="Paid too much, less what was paid too little.")


class RecheckFindingOut(serializers.Serializer):
    position = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    difference_fen = serializers.IntegerField()
    reason = serializers.CharField()
    recorded_by = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    answered_fen = serializers.IntegerField(
        allow_null=True, help_text="What of it the office claws back, 0: nothing; null: not answered, or nothing to answer."
    )
    answer_reason = serializers.CharField()


class RecheckItemOut(serializers.Serializer):
    id = serializers.IntegerField()
    position = serializers.IntegerField(help_text="In the order in which they were drawn.")
    claim = serializers.IntegerField()
    number = serializers.CharField()
    amount_fen = serializers.IntegerField()
    findings = RecheckFindingOut(many=True, help_text="The latest first; it counts.")


class RecheckSampleDetailOut(RecheckSampleOut):
    population = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()), help_text="[claim, fen] of each claim that was drawn from."
    )


class RecheckSampleView(ApiView):
    """Samples of settled claims; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = RecheckSample.objects.none()
    parameters_shapes = {"list": PageParameters, "items": PageParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {"create": RecheckDrawIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", RecheckSampleOut)

    @extend_schema(responses=RecheckSampleOut(many=True))
    def list(self, request: Request) -> Response:
        """The samples with how far they are, the latest first."""
        return self.paged_together(queries.samples_visible(self.actor), _samples_json)

    @extend_schema(responses=RecheckSampleDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One sample with what it was drawn from."""
        found = queries.sample_for(self.actor, int(pk))
        return Response({**_samples_json([found])[0], "population": found.population})

    @extend_schema(parameters=[PageParameters], responses=RecheckItemOut(many=True))
    def items(self, request: Request, pk: str) -> Response:
        """The claims of a sample with what was found of each."""
        return self.paged(queries.items_of(queries.sample_for(self.actor, int(pk))), _item_json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ClaimMadeOut, 200: ClaimMadeOut})
    def create(self, request: Request) -> Response:
        """Draw a sample; 200 when this Idempotency-Key has drawn it before."""
        key, asked = self.idempotency_key(request), self.valid(request)
        plan = Plan(Method(asked["method"]), asked["seed"].strip(), asked["size"], asked["share"])
        given = DrawInput(asked["from_on"], asked["until_on"], plan, asked["programme"])
        made, replayed = rechecking.draw_once(self.actor, given, self.now, idempotency_key=key)
        headers = {REPLAYED: "true"} if replayed else {"Location": reverse("api_recheck_sample", args=[made])}
        return Response({"id": made}, status=200 if replayed else 201, headers=headers)


class RecheckItemView(ApiView):
    """Claims of a sample; a token needs the scope ``settle``."""

    token_scopes = {"POST": "settle"}
    queryset = RecheckItem.objects.none()
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {"find": RecheckFindingIn, "answer": RecheckAnswerIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", RecheckItemOut)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ClaimMadeOut})
    def find(self, request: Request, pk: str) -> Response:
        """Write down what was found of a claim, once for this Idempotency-Key; the latest finding counts."""
        asked = self.valid(request)
        found = Found(asked["outcome"], asked["difference_fen"], asked["reason"])

        def effect() -> dict[str, Any]:
            return {"id": rechecking.record(self.actor, int(pk), found, self.now).pk}

        return self.once(request, f"recheck.find:{pk}", effect)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ClaimMadeOut})
    def answer(self, request: Request, pk: str) -> Response:
        """Claw back what was found to be paid too much, or say why nothing comes back, once for this Idempotency-Key."""
        asked = self.valid(request)
        given = Answer(asked["finding"], asked["amount_fen"], asked["reason"], asked["position"])

        def effect() -> dict[str, Any]:
            return {"id": answering.answer(self.actor, int(pk), given, self.now).pk}

        return self.once(request, f"recheck.answer:{pk}", effect)


def _samples_json(samples: list[RecheckSample]) -> list[dict[str, Any]]:
    progress = queries.progress_of(samples)
    return [_sample_json(each, progress[each.pk]) for each in samples]


def _sample_json(sample: RecheckSample, progress: queries.Progress) -> dict[str, Any]:
    names = ("number", "from_on", "until_on", "method", "seed", "size", "share", "claim_count", "claim_fen")
    more = ("drawn_count", "drawn_fen", "population_sha256", "drawn_at")
    return {
        "id": sample.pk,
        "programme": sample.programme.code if sample.programme is not None else None,
        **{name: getattr(sample, name) for name in (*names, *more)},
        **{name: getattr(progress, name) for name in ("looked_at", "differing", "difference_fen")},
    }


def _item_json(item: RecheckItem) -> dict[str, Any]:
    names = ("position", "outcome", "difference_fen", "reason", "recorded_at")
    return {
        "id": item.pk,
        "position": item.position,
        "claim": item.claim_id,
        "number": item.claim.number,
        "amount_fen": item.amount_fen,
        "findings": [
            {
                **{name: getattr(each, name) for name in names},
                "recorded_by": each.recorded_by.full_name,
                **_answer_json(getattr(each, "answer", None)),
            }
            for each in item.findings.all()
        ],
    }


def _answer_json(answer: RecheckAnswer | None) -> dict[str, Any]:
    if answer is None:
        return {"answered_fen": None, "answer_reason": ""}
    return {"answered_fen": answer.taken_fen, "answer_reason": answer.reason}
