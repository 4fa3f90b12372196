"""Suggestions while somebody types: groups of terms, each with the address that finds it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode

from frontend.presenters import instruments as naming
from frontend.presenters.search import Step
from instruments.queries import Suggestion, Suggestions
from instruments.search_wording import SUGGESTION_NAMES


@dataclass(frozen=True, slots=True)
class SuggestionGroup:
    title: Promise | str
    options: list[Step]


def suggestion_groups(found: Suggestions) -> list[SuggestionGroup]:
    """In the order of the groups, in the reader's language."""
    return [SuggestionGroup(SUGGESTION_NAMES[kind], [_option(one) for one in group]) for kind, group in found.groups.items()]


def mended_option(found: Suggestions) -> Step | None:
    """What was probably meant."""
    return Step(found.did_you_mean, suggestion_address({"q": found.did_you_mean})) if found.did_you_mean else None


def suggestion_address(query: dict[str, str]) -> str:
    return f"{reverse('search')}?{urlencode(query)}"


def _option(one: Suggestion) -> Step:
    label = one.term_en if naming.is_english() and one.term_en else one.term
    return Step(label, suggestion_address(_query(one)), count=one.weight)


def _query(one: Suggestion) -> dict[str, str]:
    if one.kind == "owner":
        return {"owner": one.target}
    if one.kind == "technique":
        return {"technique": one.target}
    if one.kind == "element":
        return {"q": one.target}
    if one.kind in {"instrument", "test_item"}:
        return {"q": one.term, "kind": one.kind}
    return {"q": one.term}
