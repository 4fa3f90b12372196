"""Partner regions and their lists of providers, kept by programme officers: a list is handed in whole, all rows or none."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime

from billing.firms.partner_models import PartnerList, PartnerProvider, PartnerRegion, RecognitionMode
from billing.firms.services.credit import NAME_LENGTH, short, uscc
from billing.ledger.rules.table import Column, day, read_table
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.services.organisations import require_person
from instruments.services.uploads import refuse_size

_REGION = re.compile(r"[1-9][0-9]{5}")
_PLATFORM = re.compile(r"[A-Z]{2}-[A-Z0-9-]{2,50}")
BASIS_LENGTH = 300

COLUMNS = (
    Column("uscc", ("uscc", "统一社会信用代码", "code"), uscc),
    Column("name", ("name", "名称", "服务机构", "单位名称"), short(NAME_LENGTH)),
    Column("from_on", ("from", "入库日期", "from_on"), day),
    Column("to_on", ("to", "有效期至", "to_on"), day, optional=True),
)


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner region as it is agreed; ``basis`` names the agreement. Days are included (None: open)."""

    region_code: str
    platform_id: str
    name: str
    name_en: str
    mode: str
    valid_from: date
    valid_to: date | None
    basis: str


@whole
def keep_region(actor: Actor, given: Partner, now: datetime, region_id: int | None = None) -> PartnerRegion:
    """Add a partner region, or change one; its code and platform never change.

    Raises Forbidden, NotFound, Refusal ``partner.region_invalid``, ``partner.platform_invalid``, ``partner.taken``,
    ``partner.text_needed`` (``name``, ``basis``), ``partner.mode_unknown``, ``partner.days_in_order``.
    """
    actor.require(Role.PROGRAMME_OFFICER)
    Refusal.raise_any(_reasons(given, region_id))
    values = asdict(given) | {"changed_by_id": require_person(actor), "changed_at": now}
    if region_id is None:
        region = PartnerRegion.objects.create(**values)
        before = {}
    else:
        region = get_visible(PartnerRegion.objects.select_for_update(), actor, pk=region_id)
        before = {name: str(getattr(region, name)) for name in asdict(given)}
        for name in ("name", "name_en", "mode", "valid_from", "valid_to", "basis", "changed_by_id", "changed_at"):
            setattr(region, name, values[name])
        region.save()
    after = {name: str(value) for name, value in asdict(given).items()}
    audit.record(actor, "partner.keep", region, now, before=before, after=after)
    return region


@whole
def import_providers(actor: Actor, region_id: int, content: bytes, now: datetime) -> PartnerList:
    """Replace the list of a partner region. Raises Forbidden, NotFound, Refusal as ``table.read_table``, ``table.row_repeated``,
    ``table.days_in_order``."""
    actor.require(Role.PROGRAMME_OFFICER)
    region = get_visible(PartnerRegion.objects.all(), actor, pk=region_id)
    refuse_size(content)
    rows = read_table(content, COLUMNS)
    reasons, seen = [], set()
    for number, row in rows:
        if row["uscc"] in seen:
            reasons.append(Reason("table.row_repeated", {"row": number, "text": row["uscc"]}, "file"))
        seen.add(row["uscc"])
        if row["to_on"] is not None and row["to_on"] < row["from_on"]:
            reasons.append(Reason("table.days_in_order", {"row": number}, "file"))
    Refusal.raise_any(reasons)
    user_id = require_person(actor)
    stored = files.store(content, file_name=f"partner-{region.region_code}.csv", media_type="text/csv", user_id=user_id, now=now)
    made = PartnerList.objects.create(region=region, file=stored, row_count=len(rows), imported_by_id=user_id, imported_at=now)
    PartnerProvider.objects.bulk_create([PartnerProvider(batch=made, **row) for _number, row in rows], batch_size=1000)
    audit.record(
        actor, "partner.import", made, now, after={"region": region.region_code, "rows": len(rows), "sha256": stored.sha256}
    )
    return made


def _reasons(given: Partner, region_id: int | None) -> list[Reason]:
    reasons = []
    if not _REGION.fullmatch(given.region_code):
        reasons.append(Reason("partner.region_invalid", {}, "region_code"))
    if not _PLATFORM.fullmatch(given.platform_id):
        reasons.append(Reason("partner.platform_invalid", {}, "platform_id"))
    if region_id is None:
        if PartnerRegion.objects.filter(region_code=given.region_code).exists():
            reasons.append(Reason("partner.taken", {}, "region_code"))
        if PartnerRegion.objects.filter(platform_id=given.platform_id).exists():
            reasons.append(Reason("partner.taken", {}, "platform_id"))
    for name, length in (("name", NAME_LENGTH), ("basis", BASIS_LENGTH)):
        if not 1 <= len(getattr(given, name).strip()) <= length:
            reasons.append(Reason("partner.text_needed", {"maximum": length}, name))
    if given.mode not in RecognitionMode.values:
        reasons.append(Reason("partner.mode_unknown", {}, "mode"))
    if given.valid_to is not None and given.valid_to < given.valid_from:
        reasons.append(Reason("partner.days_in_order", {}, "valid_to"))
    return reasons
