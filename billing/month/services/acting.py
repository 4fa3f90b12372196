"""Who does what in a month: the finance of an owner for its bills, the finance of an office for the statements of its programmes."""

from __future__ import annotations

from billing.settlement.rules.series import Series
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound


def require_finance(actor: Actor, series: Series) -> None:
    """Raise Forbidden for who is no finance at all, NotFound for another owner's or office's."""
    if not acts_for(actor, series):
        actor.require(Role.OWNER_FINANCE if series.is_bills else Role.FINANCE)
        raise NotFound.of("access.not_found", model="organisation")


def acts_for(actor: Actor, series: Series) -> bool:
    """Whether the actor does the work of the series. Of programmes that name no office any office's finance does."""
    if series.owner_id is not None:
        return series.owner_id in actor.organisations(Role.OWNER_FINANCE)
    return actor.has(Role.FINANCE) if series.office_id is None else series.office_id in actor.organisations(Role.FINANCE)
