"""What the forms of the lab's inbox say, for times and for samples: which requests are meant, why not, and what became of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import ngettext

from booking.rules.deciding import Verdict
from booking.services.deciding_many import Outcome
from booking.services.reject_reasons import Why
from config.kernel.errors import Refusal
from frontend.refusals import sentences, status_of


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that was not decided with the others, and why."""

    pk: int
    reference: str
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of several requests that were decided at once; ``declined`` of those that are done are others that wanted the time of
    what was approved. ``page`` is the name of a request's own page."""

    done: int
    failed: list[Failed]
    declined: int = 0
    page: str = "reservation_detail"


def report_of(outcomes: Sequence[Outcome], references: Mapping[int, str], page: str = "reservation_detail") -> Report:
    """``references`` of those that failed, by id; one that the reader may not see has none."""
    every = [one for outcome in outcomes for one in outcome.all]
    failed = [Failed(one.pk, references.get(one.pk, ""), sentences(one.refusal)) for one in every if one.refusal is not None]
    return Report(len(every) - len(failed), failed, sum(len(one.declined) for one in outcomes), page)


def said_of(typed: QueryDict, refusal: Refusal | None, not_listed: QuerySet[Any]) -> dict[str, Any]:
    """What the inbox says of a refusal, and what was typed: beside the request that is opened. About the one of ``not_listed``, if any,
    it is said above the list with its name: another request is open, and nothing that was typed is meant for that one."""
    elsewhere = not_listed.first() if refusal is not None else None
    texts = sentences(refusal) if refusal is not None else []
    if elsewhere is None:
        return {"problems": texts, "typed": typed}
    return {"problems_elsewhere": [f"{elsewhere.reference}: {text}" for text in texts], "typed": QueryDict()}


def failed_of(outcomes: Sequence[Outcome]) -> list[int]:
    """The ids of those of which nothing became."""
    return [one.pk for outcome in outcomes for one in outcome.all if one.refusal is not None]


def page_status(refusal: Refusal | None, report: Report | None) -> int:
    """The status of the inbox that answers a form."""
    if refusal is not None:
        return status_of(refusal)
    return 409 if report is not None and report.failed and not report.done else 200


def verdict_of(data: QueryDict) -> Verdict:
    """What the pressed button says about all that were chosen."""
    return Verdict.REJECT if data.get("verdict") == Verdict.REJECT else Verdict.APPROVE


def why_of(data: QueryDict) -> Why:
    """The ready sentence and the own words."""
    choice, words = (" ".join(data.get(name, "").replace("\x00", "").split()) for name in ("template", "reason"))
    return Why(choice, words)


def say_taken_back(request: HttpRequest, count: int) -> None:
    """So many requests wait again."""
    words = ngettext("Taken back: the request waits again.", "Taken back: %(count)s requests wait again.", count)
    messages.success(request, words % {"count": count})


def numbers(texts: Iterable[str]) -> list[int]:
    """The ids among these texts."""
    return [found for found in map(number, texts) if found is not None]


def number(text: str) -> int | None:
    """A text as an id."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
