"""Identifiers of organisations, against published vectors and an independent library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as independent

from config.kernel.errors import Refusal
from instruments.rules.identifiers import Scheme, identify, is_valid_uscc, make_uscc, normalise_uscc

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
VALID = (
    "91350100M000100Y43",
    "91330100704313080Y",
    "91630100MA00000151",
    "91630104MA0000023M",
    "91632801MA00000312",
    "91630202MA000004XG",
    "12630000000000123E",
    "52630000MJ0000018N",
)
organisation = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8)
division = st.integers(0, 999_999).map(lambda number: f"91{number:06d}")


@pytest.mark.parametrize("code", VALID)
def test_published_codes_are_valid(code):
    assert is_valid_uscc(code)


@pytest.mark.parametrize("code", VALID)
def test_changing_any_one_character_makes_a_code_invalid(code):
    for position in range(18):
        for character in ALPHABET.replace(code[position], ""):
            assert not is_valid_uscc(code[:position] + character + code[position + 1 :])


@pytest.mark.parametrize(
    "text", ["91350100M000100Y4Z", "", "9" * 18, "91350100M000100Y4", "91350100M000100Y433", "91350100m000100y43"]
)
def test_what_is_no_code_is_invalid(text):
    assert not is_valid_uscc(text)


def test_a_right_last_character_does_not_save_a_wrong_organisation_code():
    wrong = "91350100M000100Y5"
    code = wrong + independent.calc_check_digit(wrong)
    assert independent.is_valid(code)
    assert not is_valid_uscc(code)


@given(division, organisation)
def test_made_codes_are_valid_here_and_elsewhere(prefix, eight):
    code = make_uscc(prefix, eight)
    assert is_valid_uscc(code)
    assert independent.is_valid(code)


@pytest.mark.parametrize(
    ("prefix", "eight"), [("91630100", "MA00000"), ("9163010", "MA000001"), ("91630100", "IO000001"), ("916301000", "0000001")]
)
def test_parts_that_cannot_begin_a_code_are_refused(prefix, eight):
    with pytest.raises(ValueError, match="cannot begin"):
        make_uscc(prefix, eight)


def test_full_width_and_lower_case_are_normalised():
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in "91350100m000100y43")
    assert normalise_uscc(f" {full_width}\n") == VALID[0]
    assert identify(Scheme.USCC, full_width).value == VALID[0]


@pytest.mark.parametrize(
    ("scheme", "text", "value"),
    [
        (Scheme.ROR, "https://ror.org/03yrm5c26", "03yrm5c26"),
        (Scheme.ROR, "05DXPS055", "05dxps055"),
        (Scheme.ROR, "ror.org/013meh722", "013meh722"),
        (Scheme.UK_UKPRN, " 10007788 ", "10007788"),
        (Scheme.FOREIGN_REGISTRATION, "HRB  12345 B", "HRB 12345 B"),
        (Scheme.FOREIGN_REGISTRATION, "7", "7"),
        (Scheme.FOREIGN_REGISTRATION, "x" * 64, "x" * 64),
        (Scheme.NONE, "  ", ""),
    ],
)
def test_other_schemes_have_a_normal_form_too(scheme, text, value):
    assert identify(scheme, text).value == value


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        (Scheme.USCC, "91350100M000100Y4Z"),
        (Scheme.ROR, "03yrm5c27"),
        (Scheme.ROR, "03yrm5l26"),
        (Scheme.UK_UKPRN, "20007788"),
        (Scheme.FOREIGN_REGISTRATION, ""),
        (Scheme.FOREIGN_REGISTRATION, "x" * 65),
        (Scheme.FOREIGN_REGISTRATION, "a\u202eb"),
        (Scheme.NONE, "something"),
    ],
)
def test_an_invalid_identifier_is_refused_with_its_scheme(scheme, text):
    with pytest.raises(Refusal) as caught:
        identify(scheme, text)
    (reason,) = caught.value.reasons
    assert (reason.code, reason.field, reason.params) == ("identifier.invalid", "identifier", {"scheme": scheme.value})


@given(st.sampled_from(Scheme), st.text(max_size=20))
def test_a_normal_form_is_its_own_normal_form(scheme, text):
    try:
        identifier = identify(scheme, text)
    except Refusal:
        return
    assert identify(scheme, identifier.value) == identifier
