"""Subsidy programmes as anybody may read them: rules, budget, worked examples and a small calculator."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing.ledger.rules.money import parse_yuan
from billing.subsidy import ends, figures, queries
from billing.subsidy.budgets import READERS
from billing.subsidy.end_models import VersionEnd
from billing.subsidy.queries import KnownVersion
from config.kernel.errors import NotFound
from frontend import display
from frontend.http import actor_of, is_fragment
from frontend.presenters import programme as presenter
from frontend.presenters.assessment import OutcomeRow
from frontend.yuan_typed import bare_amount

MAX_FEE_FEN = 10**12
_FEE = re.compile(r"(?:0|[1-9]\d{0,9})(?:\.\d{1,2})?", re.ASCII)
_REGION = re.compile(r"[1-9]\d{5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Calculation:
    """What was typed into the calculator, and what came out or is wrong. ``on``: the date that was assumed."""

    fee: str = "30000"
    kind: str = "firm"
    size: str = "small"
    region: str = "630100"
    asked: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)
    outcome: OutcomeRow | None = None
    on: date | None = None


@require_GET
def programme_list(request: HttpRequest) -> HttpResponse:
    """Every programme that the reader may see, those in force first."""
    actor = actor_of(request)
    known = queries.programmes_visible(actor, _today())
    pools = queries.pools_of(actor, known)
    views = [presenter.programme_view(each, pools.get(each.version.pk, [])) for each in known]
    context = {
        "programmes": sorted(views, key=lambda view: view.state != "current"),
        "stacking": presenter.stacking(known),
        "runs_programmes": actor.has(*READERS),
    }
    return render(request, "programmes/list.html", context)


@require_GET
def programme_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One programme; ``?version=`` shows another version, ``?fee=&kind=&size=&region=`` calculates."""
    actor, today = actor_of(request), _today()
    versions = queries.programme_versions(actor, code, today)
    label = request.GET.get("version", "")
    chosen = [each for each in versions if each.version.label == label]
    if label and not chosen:
        raise NotFound.of("access.not_found", model="programme")
    known = (chosen or [each for each in versions if each.state == "current"] or versions)[0]
    calculation = _calculation(request.GET, known, today)
    context = {
        "programme": presenter.programme_view(known, queries.pools_of(actor, [known]).get(known.version.pk, [])),
        "versions": [(each.version.label, each.state, each is known) for each in versions],
        "calculation": calculation,
        "kinds": presenter.KINDS,
        "sizes": presenter.SIZES,
        "regions": presenter.region_choices(known.programme),
    }
    rows = ends.ends_of(actor, known.version)
    context |= {
        "ended": ends.end_that_counts(rows),
        "end_waits": next((each for each in rows if each.state == VersionEnd.State.ASKED), None),
        "may_end": ends.may_end(actor, known.version),
        "version_id": known.version.pk,
        "can_end": known.state in ("current", "future") and ends.may_still_end(known.version, today),
    }
    status = 422 if calculation.problems else 200
    if is_fragment(request):
        return render(request, "programmes/_calculator.html", context, status=status)
    context["examples"] = presenter.example_rows(known.programme, queries.worked_examples(known.version))
    return render(request, "programmes/detail.html", context, status=status)


def _calculation(query: QueryDict, known: KnownVersion, today: date) -> Calculation:
    if "fee" not in query:
        return Calculation()
    kind, size, region = (unicodedata.normalize("NFKC", query.get(name, "")).strip() for name in ("kind", "size", "region"))
    fee = bare_amount(query.get("fee", ""))
    problems = []
    if not _FEE.fullmatch(fee) or not 0 < parse_yuan(fee) <= MAX_FEE_FEN:
        problems.append(
            ("calculator-fee", _("Give the fee in yuan, more than 0 and at most 10,000,000,000, with up to two decimals."))
        )
    if kind not in presenter.KINDS:
        problems.append(("calculator-kind", _("Choose who applies.")))
    if kind == "firm" and size not in presenter.SIZES:
        problems.append(("calculator-size", _("Choose the size of the firm.")))
    if not _REGION.fullmatch(region):
        problems.append(("calculator-region", _("Choose where the applicant is.")))
    if problems:
        return Calculation(query.get("fee", ""), kind, size, region, asked=True, problems=problems)
    programme = known.programme
    outcome, on = presenter.calculated(
        programme,
        fee_fen=parse_yuan(fee),
        kind=kind,
        size=size,
        region_code=region,
        today=today,
        last_day=known.version.last_on,
        limits_on=lambda on: figures.as_of(programme.code, programme.cap_year(on)),
    )
    return Calculation(fee, kind, size, region, asked=True, outcome=outcome, on=on)


def _today() -> date:
    return timezone.now().astimezone(display.platform_zone()).date()
