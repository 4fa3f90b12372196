"""The engines that are here, by the version that stands frozen with what they worked out (ADR 39).

What is asked for anew is worked out by the current one. What was frozen is worked out by the one that froze it: a quote that was held
before an upgrade is charged as it was promised, and every older figure replays. So an engine stays as long as anything frozen names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from billing.ledger.rules.documents import Document
from billing.pricing.rules.pricing import PricedSession
from billing.pricing.rules.samples import PricedSamples
from billing.pricing.rules.schedule import PriceSchedule, parse_schedule
from billing.subsidy.rules.assess import ENGINE_VERSION, Assessment, P, assess_nothing, assess_samples, assess_session
from billing.subsidy.rules.batch import BatchOutcome, evaluate_batch
from billing.subsidy.rules.programme import Programme, read_programme

Read = TypeVar("Read", Programme, PriceSchedule)


class OtherEngine(ValueError):
    """Raised when frozen inputs were written by an engine that is not here."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How one version reads documents, and what it makes of them: functions with the arguments of those of the same name in ``assess``,
    and of ``evaluate_batch``."""

    schedule: Callable[[Document], PriceSchedule]
    programme: Callable[[Document], Programme]
    session: Callable[..., Assessment[PricedSession]]
    nothing: Callable[..., Assessment[PricedSession]]
    samples: Callable[..., Assessment[PricedSamples]]
    batch: Callable[..., BatchOutcome]


#: Of an older engine every function that answers otherwise is kept, in a package of its own; what answers as before is shared.
ENGINES: dict[str, Engine] = {
    "1": Engine(parse_schedule, read_programme, assess_session, assess_nothing, assess_samples, evaluate_batch),
}
_read: dict[tuple[Callable[..., Any], str], Any] = {}


def current() -> str:
    """The version of what is worked out now."""
    return ENGINE_VERSION


def engine(version: str) -> Engine:
    """The engine of frozen inputs. Raises OtherEngine."""
    if version not in ENGINES:
        here = ", ".join(sorted(ENGINES))
        raise OtherEngine(f"these inputs were written by engine {version}, which is not here ({here})")
    return ENGINES[version]


def named(version: str, found: Assessment[P]) -> Assessment[P]:
    """What an engine worked out, under its number: a function that several share knows only the current one."""
    return found if found.engine == version else found._replace(engine=version)


def as_read_by(version: str, document: Read) -> Read:
    """A price schedule or a programme as the current engine has read it, or, for inputs of another engine, as that one reads it (once: a
    published version never changes). Raises OtherEngine."""
    asked = engine(version)
    if version == current():
        return document
    read = asked.schedule if isinstance(document, PriceSchedule) else asked.programme
    if (read, document.sha256) not in _read:
        _read[read, document.sha256] = read(document.document)
    found: Read = _read[read, document.sha256]
    return found
