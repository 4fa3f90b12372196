"""DOI and CSTR identifiers: what is one, where it leads, and what was stored before anybody looked."""

from __future__ import annotations

import pytest

from config.kernel.errors import Reason, Refusal
from instruments.rules.persistent_ids import bare_cstr, bare_doi, clean_cstr, clean_doi, cstr_url, doi_url, kept_ids, without_kept
from instruments.rules.registry_values import clean_fields


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.1234/abc", "https://doi.org/10.1234/abc"),
        ("doi:10.1234/abc", "https://doi.org/10.1234/abc"),
        ("https://doi.org/10.5281/zenodo.1", "https://doi.org/10.5281/zenodo.1"),
        ("http://dx.doi.org/10.1000.10/A(1)<2>;b", "https://doi.org/10.1000.10/A(1)<2>;b"),
        ("", ""),
    ],
)
def test_a_doi_stays_as_it_is_written_and_leads_to_its_resolver(text: str, address: str) -> None:
    assert clean_doi(f"  {text} ", "doi") == text
    assert doi_url(text) == address


@pytest.mark.parametrize("text", ["10.12/abc", "10.1234", "10.1234/", "abc", "https://example.org/10.1234/abc", "10.1234/a b"])
def test_what_is_no_doi_is_refused_and_no_link(text: str) -> None:
    with pytest.raises(Refusal, match=r"instrument\.doi_invalid"):
        clean_doi(text, "doi")
    assert doi_url(text) == ""


def test_a_cstr_identifier_has_a_registrar_a_kind_and_a_name() -> None:
    for text in ("CSTR:31253.11.sciencedb.01234", "cstr:31253.11.a", "31253.11.a", "https://cstr.cn/31253.11.a"):
        assert clean_cstr(text, "cstr") == text
        assert cstr_url(text) == f"https://cstr.cn/{bare_cstr(text)}"
    for text in ("CSTR:1", "31253.1.a", "31253.11.", "CSTR 31253.11.a", "10.1234/abc"):
        with pytest.raises(Refusal, match=r"instrument\.cstr_invalid"):
            clean_cstr(text, "cstr")
        assert cstr_url(text) == ""
    assert (bare_doi("DOI:10.1234/A"), bare_cstr("CSTR:31253.11.A")) == ("10.1234/A", "31253.11.A")


def test_what_is_typed_is_checked_and_what_is_stored_already_is_no_reason() -> None:
    cleaned = clean_fields({"doi": "my doi", "cstr": "CSTR:1", "name": "XRD"})
    assert {(one.code, one.field) for one in cleaned.reasons} == {
        ("instrument.doi_invalid", "doi"),
        ("instrument.cstr_invalid", "cstr"),
    }
    other = Reason("name.empty", {}, "name")
    left = without_kept([*cleaned.reasons, other], kept_ids([("my doi", "my doi")]))
    assert [(one.code, one.field) for one in left] == [("instrument.cstr_invalid", "cstr"), ("name.empty", "name")]
