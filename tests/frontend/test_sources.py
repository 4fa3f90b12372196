"""What the content security policy and the languages demand of every template and script."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
ROOT = FRONTEND.parent
TEMPLATES = sorted((FRONTEND / "templates").rglob("*.html"))
SCRIPTS = sorted((FRONTEND / "assets").rglob("*.js"))
INLINE = re.compile(
    r"""<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*["']|\shx-on|javascript:|<script(?![^>]*\bsrc=)(?! type="application/ld\+json">)""",
    re.IGNORECASE,
)
CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\uff01-\uff5e\u3000-\u303f]")


def test_templates_are_found() -> None:
    assert len(TEMPLATES) > 20


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(FRONTEND)))
def test_a_template_has_no_inline_style_or_script(path: Path) -> None:
    assert INLINE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "wrong", ['<p style="x">', "<a onclick='x()'>", "<script>x()</script>", "<style>", '<b hx-on:click="x">']
)
def test_the_search_for_inline_code_finds_it(wrong: str) -> None:
    assert INLINE.search(wrong)


@pytest.mark.parametrize("path", [*TEMPLATES, *SCRIPTS], ids=lambda path: str(path.relative_to(FRONTEND)))
def test_words_in_sources_are_english(path: Path) -> None:
    assert CJK.findall(path.read_text(encoding="utf-8")) == []


OWN_DATE = re.compile(r"""\|(?:date|time)(?!\w)(?!:"(?:Y-m-d|Y-m|c|U)")|\bdate_format\b|DATE_FORMAT""")
PYTHON = sorted(
    path for app in ("config", "instruments", "booking", "billing", "frontend") for path in (ROOT / app).rglob("*.py")
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(FRONTEND)))
def test_a_template_writes_no_date_in_a_format_of_its_own(path: Path) -> None:
    assert OWN_DATE.findall(path.read_text(encoding="utf-8")) == []


def test_no_module_writes_a_date_in_the_frameworks_format() -> None:
    assert [str(path) for path in PYTHON if re.search(r"\bdate_format\b|DATE_FORMAT", path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("wrong", ["{{ day|date }}", '{{ day|date:"j M" }}', "{{ now|time }}", "formats.date_format(day)"])
def test_the_search_for_other_dates_finds_them(wrong: str) -> None:
    assert OWN_DATE.search(wrong)
    assert not OWN_DATE.search('{{ day|date:"Y-m-d" }}{{ length|time_words }}')


def test_the_lock_file_pins_everything_and_names_no_host() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text
    packages = json.loads(text)["packages"]
    assert all(entry.get("integrity") for name, entry in packages.items() if name)
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
