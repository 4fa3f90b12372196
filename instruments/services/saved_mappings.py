"""Mappings under a name: which column of a list means what, for the next file of its kind. They are made where the columns of a file
are chosen, or written as a file of their own (``docs/import.md``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Organisation, SavedMapping
from instruments.rules.names import clean_name
from instruments.rules.reading_options import ENCODING, TIME_ZONE, checked, saved_document, saved_parts
from instruments.services import import_kinds
from instruments.services.import_kinds import SAVED
from instruments.services.instrument_changes import owner_institution, require_manager

NAME_LENGTH = 100
FILE_BYTES = 200_000


@whole
def add(actor: Actor, organisation_id: int | None, name: str, content: bytes, now: datetime, file_name: str = "") -> SavedMapping:
    """Keep a mapping that was written as a file; without an organisation it is for everybody.

    Raises Forbidden, Refusal ``name.*``, ``import.map_*``, ``import.mapping_name_taken`` and those of what it says of reading.
    """
    _require(actor, organisation_id)
    owner = None if organisation_id is None else owner_institution(organisation_id)
    document, options = saved_parts(_document(content, file_name))
    kind = import_kinds.kind_of(import_kinds.of_document(document))
    if SAVED not in kind.layouts:
        raise Refusal.of("import.kind_unknown", "map")
    kind.columns.check(document)
    kept = saved_document(document, checked(options, kind.takes, kind.constants))
    return keep(actor, owner, clean_name(name, NAME_LENGTH, field="name"), kept, now)


def keep(
    actor: Actor, owner: Organisation | None, name: str, document: Mapping[str, Any], now: datetime, field: str = "name"
) -> SavedMapping:
    """Keep a checked mapping under its name, instead of the one that had it.

    Raises Forbidden, Refusal ``import.mapping_name_taken`` (``field``) where that one is for lists of another kind.
    """
    _require(actor, owner.pk if owner else None)
    before = SavedMapping.objects.filter(organisation=owner, name=name).first()
    if before is not None and import_kinds.of_document(before.document) != import_kinds.of_document(document):
        raise Refusal.of("import.mapping_name_taken", field, name=name)
    values = {"document": dict(document), "created_by_id": actor.user_id, "updated_at": now}
    mapping, _created = SavedMapping.objects.update_or_create(organisation=owner, name=name, defaults=values)
    audit.record(actor, "import.save_mapping", mapping, now, after={"name": name, "document": dict(document)})
    return mapping


@whole
def rename(actor: Actor, mapping_id: int, name: str, now: datetime) -> SavedMapping:
    """Call a saved mapping otherwise. Raises NotFound, Forbidden, Refusal ``name.*``, ``import.mapping_name_in_use``."""
    mapping = get_visible(SavedMapping.objects.select_for_update(of=("self",)), actor, pk=mapping_id)
    _require(actor, mapping.organisation_id)
    wanted = clean_name(name, NAME_LENGTH, field="name")
    if wanted == mapping.name:
        return mapping
    if SavedMapping.objects.filter(organisation=mapping.organisation, name=wanted).exists():
        raise Refusal.of("import.mapping_name_in_use", "name", name=wanted)
    before, mapping.name, mapping.updated_at = mapping.name, wanted, now
    mapping.save(update_fields=["name", "updated_at"])
    audit.record(actor, "import.rename_mapping", mapping, now, before={"name": before}, after={"name": wanted})
    return mapping


@whole
def forget(actor: Actor, mapping_id: int, now: datetime) -> None:
    """Delete a saved mapping; imports that used it keep their copy. Raises NotFound, Forbidden."""
    mapping = get_visible(SavedMapping.objects.select_for_update(of=("self",)), actor, pk=mapping_id)
    _require(actor, mapping.organisation_id)
    audit.record(actor, "import.forget_mapping", mapping, now, before={"name": mapping.name, "document": mapping.document})
    mapping.delete()


def _document(content: bytes, file_name: str) -> dict[str, Any]:
    """The object in a JSON file, which the database can keep. Raises Refusal ``import.map_unreadable``, ``import.map_shape``."""
    try:
        if len(content) > FILE_BYTES:
            raise ValueError(f"more than {FILE_BYTES} bytes")
        document = json.loads(content.decode("utf-8-sig"))
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
        if "\\u0000" in json.dumps(document):
            raise ValueError("a character that no text has")
    except (ValueError, RecursionError) as error:
        raise Refusal.of("import.map_unreadable", "map", path=file_name[:100], detail=str(error)[:200]) from None
    if not isinstance(document, dict) or not _says_how_to_read(document.get("reading", {})):
        raise Refusal.of("import.map_shape", "map")
    return document


def _says_how_to_read(said: Any) -> bool:
    return isinstance(said, dict) and set(said) <= {ENCODING, TIME_ZONE} and all(isinstance(one, str) for one in said.values())


def _require(actor: Actor, organisation_id: int | None) -> None:
    if organisation_id is None:
        actor.require(Role.OPERATOR)
    else:
        require_manager(actor, organisation_id)
