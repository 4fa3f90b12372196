"""The facts of a service: who asks, who serves, where and what, as verified on the platform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from billing.firms import loading
from billing.firms.rules.places import place_of
from billing.firms.rules.profile import Known, ProviderStanding, Standing, controller, party, provider_standing, standing
from billing.subsidy.figures import Figures
from billing.subsidy.rules.facts import Facts, Party, Profile, Service
from billing.vouchers.rules.backing import Usable
from instruments.models import Instrument, Organisation, OrganisationStatus


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything loaded about a customer and some owners: as of any day, without another query."""

    known: Known
    keys: dict[int | None, str]
    vouchers: tuple[Usable, ...] | None = None
    """Those of the customer, where they are loaded already."""
    figures: Figures = field(default_factory=Figures, repr=False, compare=False)
    """Of limits that somebody set, read as far as a programme has such limits."""
    _parties: dict[tuple[str, str, date], Party] = field(default_factory=dict, init=False, repr=False, compare=False)
    _providers: dict[tuple[str, date], ProviderStanding] = field(default_factory=dict, init=False, repr=False, compare=False)

    def applicant(self, customer_id: int | None, owner_id: int, on: date) -> Party:
        """The verified facts of a customer of ``owner_id`` on a day."""
        asked = self.keys[customer_id], self.keys[owner_id], on
        if asked not in self._parties:
            self._parties[asked] = party(self.known, *asked)
        return self._parties[asked]

    def standing(self, customer_id: int | None, owner_id: int, on: date) -> Standing:
        """What of ``applicant`` may be lost between a promise and its payment."""
        return standing(self.known, self.keys[customer_id], self.keys[owner_id], on)

    def provider_standing(self, owner_id: int, on: date) -> ProviderStanding:
        """The same of an owner as a provider."""
        asked = self.keys[owner_id], on
        if asked not in self._providers:
            self._providers[asked] = provider_standing(self.known, *asked)
        return self._providers[asked]

    def facts(
        self, owner: Organisation, place: Party, customer: Organisation, service_kind: str, service_on: date, today: date
    ) -> Facts:
        """What is known about a service of ``owner`` at ``place`` for ``customer``; the days are local."""
        owner_key = self.keys[owner.pk]
        return Facts(
            applicant=self.applicant(customer.pk, owner.pk, service_on),
            provider=Party(
                region_code=owner.region_code or None,
                policy_zones=frozenset(owner.policy_zones),
                verified=owner.status == OrganisationStatus.VERIFIED,
                profile=Profile(
                    id=owner_key,
                    owner_class=owner.owner_class or None,
                    grade=owner.quality_grade or None,
                    lists=self.known.lists_of(owner_key, service_on),
                    **self.provider_standing(owner.pk, service_on)._asdict(),
                    controller=controller(self.known, owner_key, service_on),
                ),
            ),
            instrument=place,
            # Invoice and claim have not happened yet: their year is expected to be the service's.
            service=Service(service_kind, service_on, invoice_on=service_on, claim_on=service_on, approval_on=today),
            grade=owner.quality_grade or None,
        )


def gather(customer: Organisation, owner_ids: Iterable[int]) -> Gathered:
    """One query however many owners. A customer that is not stored (somebody who only says who they are) has nothing but its columns."""
    if customer.pk:
        return gather_all([customer.pk, *owner_ids])
    found = gather_all(owner_ids)
    base = loading.base_of(customer)
    return replace(
        found, known=replace(found.known, bases={**found.known.bases, base.key: base}), keys={**found.keys, customer.pk: base.key}
    )


def gather_all(organisation_ids: Iterable[int]) -> Gathered:
    """One query however many organisations, customers and owners alike."""
    return Gathered(*loading.known(organisation_ids))


def instrument_party(instrument: Instrument) -> Party:
    """The facts of an instrument with its site and owner loaded."""
    owner = instrument.organisation
    profile = Profile(
        id=str(instrument.pk),
        original_value=instrument.original_value_fen,
        listed=instrument.published,
        resource_class=instrument.class_code or None,
    )
    return place_of(instrument.site.region_code, owner.region_code, owner.policy_zones, profile)
