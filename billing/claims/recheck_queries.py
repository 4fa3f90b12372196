"""Every read about samples for the re-check that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet, Sum

from billing.claims.recheck_models import Outcome, RecheckFinding, RecheckItem, RecheckSample
from billing.claims.rules.sampling import Method, Plan, Settled, draw, fingerprint
from config.kernel.access import Actor, get_visible, visible_to


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sample is: claims looked at, those with a difference, and what was paid too much of those (fen, less what was too
    little)."""

    looked_at: int = 0
    differing: int = 0
    difference_fen: int = 0


def samples_visible(actor: Actor) -> QuerySet[RecheckSample]:
    """Samples without what they were drawn from, the latest first."""
    rows = visible_to(RecheckSample.objects.all(), actor).defer("population")
    return rows.select_related("programme", "drawn_by").order_by("-pk")


def sample_for(actor: Actor, pk: int) -> RecheckSample:
    """One sample; what it was drawn from is read when somebody asks for it. Raises NotFound."""
    return get_visible(samples_visible(actor), actor, pk=pk)


def items_of(sample: RecheckSample) -> QuerySet[RecheckItem]:
    """The claims of a sample (from ``sample_for``) in the order in which they were drawn, with their findings and what the office answered,
    the latest first (``findings``)."""
    findings = RecheckFinding.objects.select_related("recorded_by", "answer__answered_by").order_by("-position")
    rows = RecheckItem.objects.filter(sample=sample).select_related("claim__payee", "claim__batch__programme")
    return rows.prefetch_related(Prefetch("findings", findings)).order_by("position")


def progress_of(samples: Sequence[RecheckSample]) -> dict[int, Progress]:
    """How far each sample is; one query."""
    latest = RecheckFinding.objects.filter(item__sample__in=samples).order_by("item", "-position").distinct("item")
    found = RecheckFinding.objects.filter(pk__in=latest.values("pk")).order_by().values("item__sample")
    found = found.annotate(
        looked_at=Count("pk"), differing=Count("pk", filter=Q(outcome=Outcome.DIFFERENCE)), fen=Sum("difference_fen")
    )
    progress = {each.pk: Progress(0, 0, 0) for each in samples}
    return progress | {row["item__sample"]: Progress(row["looked_at"], row["differing"], row["fen"]) for row in found}


def plan_of(sample: RecheckSample) -> Plan:
    """How a sample was drawn."""
    return Plan(Method(sample.method), sample.seed, sample.size, sample.share)


def is_as_drawn(sample: RecheckSample, drawn: Sequence[tuple[int, int]]) -> bool:
    """Whether the kept claims and seed draw the same again: ``drawn`` are its (claim, fen) in order."""
    claims = [Settled(pk, fen) for pk, fen in sample.population]
    again = [(each.id, each.amount_fen) for each in draw(claims, plan_of(sample))]
    return again == list(drawn) and fingerprint(claims) == sample.population_sha256
