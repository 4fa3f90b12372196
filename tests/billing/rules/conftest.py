"""What the tests of the rules of money share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def shared_programmes() -> dict[str, dict[str, Any]]:
    """programmes.json of the shared data folder, by id."""
    folder = Path(os.environ.get("JISHI_DATA_DIR", ROOT / ".." / "shared" / "data"))
    path = folder / "programmes.json"
    if not path.exists():
        pytest.skip(f"no shared data: {path} is absent (set JISHI_DATA_DIR)")
    return {each["id"]: each for each in json.loads(path.read_text(encoding="utf-8"))["programmes"]}
