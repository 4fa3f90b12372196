"""People of the Kunlun institute who spend: Gao leads a group in which Ma works; Tan leads another one. Amounts in fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.conftest import Cast

VALID = (date(2026, 1, 1), date(2026, 12, 31))


@dataclass
class Spenders:
    """``salt``: Gao's group; its card ``card`` has 1,000 yuan and asks above 500. An hour costs its people 200 yuan."""

    cast: Cast
    salt: Any
    other: Any
    card: Any


def build_spenders(cast: Cast, *, budget_fen: int | None = 1000_00, threshold_fen: int | None = 500_00) -> Spenders:
    """Write people, groups and a card to the database."""
    from billing.cards import services as cards
    from config.kernel.access import Role
    from instruments.models import Membership, User
    from instruments.services import research_groups

    for name in ("gao", "ma", "tan"):
        user = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
        cast.users[name] = user
        Membership.objects.create(user=user, organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    keeper, now = cast.actor("li"), cast.now
    salt = research_groups.create_group(keeper, cast.lab.pk, "Salt lakes", cast.users["gao"].pk, None, now)
    other = research_groups.create_group(keeper, cast.lab.pk, "Plateau medicine", cast.users["tan"].pk, None, now)
    research_groups.set_member(cast.actor("gao"), salt.pk, cast.users["ma"].pk, date(2026, 1, 1), None, now)
    terms = cards.CardFacts("NSF-1", "Lithium from brine", *VALID, budget_fen, threshold_fen)
    return Spenders(cast, salt, other, cards.open_card(keeper, salt.pk, terms, now))
