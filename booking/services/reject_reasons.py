"""The ready sentences with which a lab declines requests: its own list, or the house's; the customer reads them in their own language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation
from django.utils.functional import Promise

from booking.decision_wording import HOUSE_REASONS, SAMPLE_REASONS
from booking.models import RejectReason
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Organisation
from instruments.rules.names import clean_name

MOST = 12
TEXT_LENGTH = 200
_OWN = "own:"


@dataclass(frozen=True, slots=True)
class Ready:
    """A sentence on offer: ``choice`` names it in a form, ``text`` is in the reader's language."""

    choice: str
    text: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a request is declined: a ready sentence, own words, or both."""

    choice: str = ""
    words: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.choice or self.words.strip())


def offered(actor: Actor, house: Mapping[str, Promise] = HOUSE_REASONS) -> list[Ready]:
    """What the actor's labs say when they decline, in the active language; the ``house``'s sentences where they have none."""
    rows = visible_to(RejectReason.objects.all(), actor).order_by("organisation_id", "place")
    own = [Ready(choice_of(row), _in_language(row, translation.get_language() or "")) for row in rows]
    return own or [Ready(code, str(text)) for code, text in house.items()]


def choice_of(row: RejectReason) -> str:
    """How a sentence of a lab's own is named where one chooses."""
    return f"{_OWN}{row.pk}"


def own_of(actor: Actor, organisation_id: int) -> list[RejectReason]:
    """The lab's own list. Raises NotFound, Forbidden."""
    lab = lab_of(actor, organisation_id)
    return list(visible_to(RejectReason.objects.filter(organisation=lab), actor).order_by("place"))


def lab_of(actor: Actor, organisation_id: int) -> Organisation:
    """The owner whose sentences the actor keeps. Raises NotFound, Forbidden."""
    lab = get_visible(Organisation.objects.all(), actor, pk=organisation_id)
    actor.require_in(lab.pk, Role.LAB_MANAGER)
    return lab


def text_for(actor: Actor, language: str, why: Why) -> str:
    """The whole reason in the ``language`` of who asked. Raises Refusal ``booking.reason_missing``, ``decision.reason_unknown``."""
    if why.is_empty:
        raise Refusal.of("booking.reason_missing", field="reason")
    parts = [_ready_text(actor, language, why.choice) if why.choice else "", " ".join(why.words.split())]
    return " ".join(part for part in parts if part)


def _ready_text(actor: Actor, language: str, choice: str) -> str:
    house = {**HOUSE_REASONS, **SAMPLE_REASONS}
    if choice in house:
        with translation.override(language or None):
            return str(house[choice])
    number = choice.removeprefix(_OWN)
    own = visible_to(RejectReason.objects.all(), actor)
    row = own.filter(pk=int(number)).first() if number.isascii() and number.isdigit() and len(number) < 19 else None
    if row is None:
        raise Refusal.of("decision.reason_unknown", field="template")
    return _in_language(row, language)


def _in_language(row: RejectReason, language: str) -> str:
    return row.text_en if language.startswith("en") and row.text_en else row.text


@whole
def keep(actor: Actor, organisation_id: int, sentences: Iterable[tuple[str, str]], now: datetime) -> Sequence[RejectReason]:
    """Make these (text, English text) the lab's list, in this order; pairs without text are left out.

    Raises NotFound, Forbidden, Refusal ``decision.reasons_too_many``, ``names.*``.
    """
    lab = lab_of(actor, organisation_id)
    Organisation.objects.select_for_update(no_key=True).get(pk=lab.pk)
    pairs = [_cleaned(text, text_en) for text, text_en in sentences if text.strip() or text_en.strip()]
    if len(pairs) > MOST:
        raise Refusal.of("decision.reasons_too_many", "text", most=MOST)
    rows = RejectReason.objects.filter(organisation=lab)
    before = list(rows.order_by("place").values_list("text", flat=True))
    rows.delete()
    made = RejectReason.objects.bulk_create(
        RejectReason(organisation=lab, place=place, text=text, text_en=text_en) for place, (text, text_en) in enumerate(pairs)
    )
    after = [text for text, _english in pairs]
    audit.record(actor, "organisation.reject_reasons", lab, now, before={"texts": before}, after={"texts": after})
    return made


def _cleaned(text: str, text_en: str) -> tuple[str, str]:
    first = clean_name(text if text.strip() else text_en, TEXT_LENGTH, field="text")
    return first, clean_name(text_en, TEXT_LENGTH, field="text_en") if text_en.strip() else ""
