"""The vouchers an applicant could use, for the figures of a quote."""

from __future__ import annotations

from collections.abc import Iterable

from billing.subsidy.rules.outcome import home_payer
from billing.subsidy.rules.programme import Programme
from billing.vouchers.models import Voucher
from billing.vouchers.rules.backing import Usable, is_issued


def usable(organisation_id: int, programmes: Iterable[Programme]) -> tuple[Usable, ...]:
    """All vouchers of an organisation that were not given back, in one query; none where no programme asks for any."""
    if not any(is_issued(cap) for programme in programmes for cap in programme.caps):
        return ()
    rows = Voucher.objects.filter(organisation_id=organisation_id, returned_at__isnull=True)
    columns = ("account__key", "programme_id", "cap_id", "number", "valid_from", "valid_to", "origin__platform_id", "face_fen")
    return tuple(
        Usable(key, programme_id, cap_id, number, first, last, home_payer(home) if home else "", face_fen)
        for key, programme_id, cap_id, number, first, last, home, face_fen in rows.values_list(*columns)
    )
