"""Every code that the registry refuses with has a sentence."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from config.kernel.messages import codes
from instruments.rules.registry_map import TARGETS

CODE = re.compile(r'"((?:import|instrument|calendar|closures|ics|recurrence|site)\.[a-z0-9_]+)"')
ACTIONS = {
    "instrument.bring_back",
    "instrument.close",
    "instrument.closures_imported",
    "instrument.create",
    "instrument.customs",
    "instrument.document_add",
    "instrument.document_remove",
    "instrument.document_restore",
    "instrument.facility",
    "instrument.facility_end",
    "instrument.funding",
    "instrument.image_add",
    "instrument.image_caption",
    "instrument.image_move",
    "instrument.image_remove",
    "instrument.image_restore",
    "instrument.holidays",
    "instrument.hours",
    "instrument.hours_for",
    "instrument.import",
    "instrument.occurrence",
    "instrument.open",
    "instrument.photo",
    "instrument.reopen",
    "instrument.season",
    "instrument.update",
    "import.ask_undo",
    "import.cancel",
    "import.confirm",
    "import.done",
    "import.forget_mapping",
    "import.go_on",
    "import.columns",
    "import.read_again",
    "import.rename_mapping",
    "import.save_mapping",
    "import.start",
    "import.undo",
    "site.create",
    "site.import",
    "site.update",
}


def test_every_reason_of_the_registry_has_words() -> None:
    said: set[str] = set()
    for folder in ("rules", "services", "api"):
        for path in (Path(settings.BASE_DIR) / "instruments" / folder).glob("*.py"):
            said |= set(CODE.findall(path.read_text(encoding="utf-8")))
    assert len(said) > 50
    assert said - ACTIONS - TARGETS - codes() == set()
