"""The documents speak of what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from config import checks
from instruments.rules.asking import parse_asking

ROOT: Path = settings.BASE_DIR
READERS = re.compile(r"""env\.\w+\(\s*["'](\w+)["']|environ(?:\.get\(|\[)"(JISHI_\w+|DATABASE_URL)"|= "(JISHI_\w+)\b""")


def variables_read() -> set[str]:
    """Every environment variable that our code asks for."""
    found: set[str] = set()
    for folder in ("config", "instruments", "booking", "billing", "frontend"):
        for source in (ROOT / folder).rglob("*.py"):
            found |= {name for match in READERS.findall(source.read_text()) for name in match if name}
    return found


def test_every_setting_is_in_the_operations_manual() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()
    known = set(re.findall(r"`((?:JISHI_\w+|DATABASE_URL))`", manual))
    assert len(variables_read()) > 20
    assert variables_read() - known == set()
    assert known - variables_read() == {"JISHI_DATA_DIR"}


def test_every_start_up_check_is_in_the_operations_manual() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()
    ids = set(re.findall(r'id="jishi\.(E\d+)"', Path(checks.__file__).read_text()))
    assert len(ids) > 5
    assert {number for number in ids if f"{number}`" not in manual} == set()


@pytest.mark.parametrize(
    "name", ["README.md", "README.zh-CN.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
)
def test_every_path_named_in_the_documents_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    places = ("instruments", "booking", "billing", "frontend", "config", "tests", "deploy", "docs", ".ci")
    named = {path for path in re.findall(r"`([\w.\-]+/[\w./\-]*)`", text) if path.split("/")[0] in places}
    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_the_readme_names_the_same_paths_in_both_languages() -> None:
    english, chinese = (
        set(re.findall(r"`([\w.\-]+/[\w./\-]*)`", (ROOT / name).read_text())) for name in ("README.md", "README.zh-CN.md")
    )
    assert len(english) > 40 and english == chinese


def test_what_is_typed_means_what_the_manual_of_the_search_says() -> None:
    rows = re.findall(r"^\| `(.+?)` \|(.*)\|$", (ROOT / "docs" / "search.md").read_text(), re.MULTILINE)
    assert len(rows) == 3
    for typed, said in rows:
        asked = parse_asking(typed)
        meant = (asked.words, asked.samples, asked.duration_minutes, asked.when, asked.region_code)
        assert [str(value or "") for value in meant] == [cell.strip(" `") for cell in said.split("|")], typed


def test_every_decision_has_situation_decision_and_consequences() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text()
        assert all(f"**{part}.**" in text for part in ("Situation", "Decision", "Consequences")), record
