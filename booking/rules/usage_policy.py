"""What a lab chose about the use of an instrument: who may start when, what is charged, when it counts as agreed."""

from __future__ import annotations

from dataclasses import dataclass

from booking.rules.usage import BillableBasis, BillableRule


@dataclass(frozen=True, slots=True)
class UsagePolicy:
    """The effective choices for one instrument.

    * ``no_show_grace_minutes``: after the start, how long nobody else gets the time.
    * ``late_may_use``: whether who comes after that may still start where the time was not taken meanwhile.
    * ``early_start_minutes``: how long before the start one may begin when the instrument is free.
    * ``billable_basis``, ``billable_round_up_minutes``: what is charged (``rules.usage``).
    * ``agree_after_days``: how long both sides may look at a session before time agrees.
    """

    no_show_grace_minutes: int = 30
    late_may_use: bool = True
    early_start_minutes: int = 60
    billable_basis: BillableBasis = BillableBasis.BOOKED
    billable_round_up_minutes: int = 1
    agree_after_days: int = 7

    @property
    def billable_rule(self) -> BillableRule:
        return BillableRule(self.billable_basis, self.billable_round_up_minutes)
