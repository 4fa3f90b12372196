"""Reads about trials that pages share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT

from billing.sandbox.models import SandboxRun
from billing.sandbox.rules.variants import as_if_in_force
from billing.subsidy.models import Programme
from billing.subsidy.rules.programme import read_programme
from billing.vouchers.models import Voucher
from config.kernel.access import Actor, get_visible, visible_to
from instruments.models import Organisation

_LARGE = ("document", "result", "checkpoint")


def runs_visible(actor: Actor) -> QuerySet[SandboxRun]:
    """The trials of the actor's office, the newest first, without what came out; each with the ``code`` and ``label`` of what is tried."""
    rows = visible_to(SandboxRun.objects.select_related("created_by", "version__programme", "against__programme"), actor)
    named = rows.annotate(code=KT("document__code"), label=KT("document__version"))
    return named.defer(*_LARGE, "version__document", "against__document").order_by("-created_at", "-pk")


def run_for(actor: Actor, pk: int) -> SandboxRun:
    """One trial. Raises NotFound."""
    rows = SandboxRun.objects.select_related("created_by", "version__programme", "against__programme", "draft", "vouchers_of")
    return get_visible(rows.defer("checkpoint", "draft__document", "version__document", "against__document"), actor, pk=pk)


def lenders(actor: Actor) -> QuerySet[Programme]:
    """The programmes under which vouchers were issued, with which a rule can be tried."""
    issued = Voucher.objects.filter(programme=OuterRef("pk"), issued_at__isnull=False)
    return visible_to(Programme.objects.filter(Exists(issued)), actor).order_by("code")


def names_in(result: Mapping[str, Any]) -> dict[int, Organisation]:
    """The organisations that a result names, in one query. They are named to whoever may read the trial."""
    ids = {int(each["code"]) for each in result["owners"] if str(each["code"]).isdigit()}
    change = result["change"] or {}
    ids |= {each["firm"] for side in ("winners", "losers") for each in change.get(side, ())}
    return _by_id(Organisation.objects.filter(pk__in=ids).only("name", "name_en"))


class LooksAt(NamedTuple):
    """What a trial was told because a rule looks at it: what an owner earned in the year before, what other programmes gave (of what is
    tried or what it is held against), and the face value or number of vouchers (of what is tried)."""

    prior_income: bool
    others: bool
    vouchers: bool


def looks_at(run: SandboxRun) -> LooksAt:
    """What the rules of a trial look at."""
    tried = read_programme(as_if_in_force(run.document))
    both = [tried, *([read_programme(as_if_in_force(run.against.document))] if run.against is not None else [])]
    return LooksAt(
        any(each.asks_prior_income for each in both),
        any(each.asks_of_others for each in both),
        bool(tried.asks_of_voucher),
    )


def _by_id(rows: Iterable[Organisation]) -> dict[int, Organisation]:
    return {each.pk: each for each in rows}
