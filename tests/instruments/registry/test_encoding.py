"""The encoding of a file is declared, certain, or said to be a guess."""

from __future__ import annotations

import pytest

from config.kernel.errors import Refusal
from instruments.services.registry_encoding import decode

CHINESE = "\u540d\u79f0,\u5730\u70b9\n\u626b\u63cf\u7535\u5b50\u663e\u5fae\u955c,\u897f\u5b81\u5e02\u57ce\u897f\u533a\n" * 3
JAPANESE = "\u540d\u79f0\n\u8d70\u67fb\u578b\u96fb\u5b50\u9855\u5fae\u93e1\u30b7\u30b9\u30c6\u30e0\n" * 3
GERMAN = "Name\nM\u00f6\u00dfbauer-Spektrometer f\u00fcr Pr\u00fcfung bei 20 \u00b0C\n" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_certain(encoding: str) -> None:
    found = decode(CHINESE.encode(encoding))
    assert (found.text.lstrip("\ufeff"), found.sureness) == (CHINESE, "certain")


@pytest.mark.parametrize(
    ("text", "written", "read"),
    [
        (CHINESE, "gbk", "gb18030"),
        (JAPANESE, "cp932", "cp932"),
        (GERMAN, "cp1252", "cp1252"),
        (GERMAN, "mac_roman", "mac_roman"),
    ],
)
def test_older_encodings_are_recognised_by_what_they_yield(text: str, written: str, read: str) -> None:
    found = decode(text.encode(written))
    assert (found.encoding, found.text) == (read, text)
    assert found.sureness in {"certain", "likely", "guess"}


def test_few_bytes_beyond_ascii_are_a_guess_that_names_the_others() -> None:
    found = decode(b"Email\nlab@example.org\xca\n")
    assert (found.encoding, found.sureness, found.text.strip().endswith("org")) == ("mac_roman", "guess", True)
    assert "cp1252" in found.others


def test_a_declared_encoding_is_kept_to_and_its_first_wrong_line_is_named() -> None:
    assert decode(GERMAN.encode("latin-1"), "latin-1").sureness == "declared"
    with pytest.raises(Refusal) as refused:
        decode(b"name\nSEM\n\xff\xfe\n", "utf-8")
    assert (refused.value.reasons[0].code, refused.value.reasons[0].params["line"]) == ("import.encoding_wrong", 3)
    with pytest.raises(Refusal) as unknown:
        decode(b"name\n", "no-such-encoding")
    assert unknown.value.reasons[0].code == "import.encoding_unknown"
