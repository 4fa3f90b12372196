"""A signature is right for one secret, one body and a while."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from instruments.rules.webhook_signature import signature
from tests.webhook_receiver import TOLERANCE_SECONDS, is_genuine


@given(st.text(min_size=1), st.binary(), st.integers(0, 2**33), st.integers(-TOLERANCE_SECONDS, TOLERANCE_SECONDS))
def test_what_we_sign_is_genuine_for_a_while(secret, body, at, later):
    assert is_genuine(secret, signature(secret, at, body), body, at + later)


@given(st.text(min_size=1), st.binary(), st.integers(0, 2**33))
def test_another_body_secret_or_time_is_not(secret, body, at):
    header = signature(secret, at, body)
    assert not is_genuine(secret, header, body + b" ", at)
    assert not is_genuine(secret + "x", header, body, at)
    assert not is_genuine(secret, header.replace(f"t={at}", f"t={at + 1}"), body, at)
    assert not is_genuine(secret, header, body, at + TOLERANCE_SECONDS + 1)


@given(st.text(max_size=80))
def test_nothing_that_somebody_types_breaks_the_check(header):
    assert not is_genuine("secret", header, b"{}", 1_700_000_000)


def test_the_known_value():
    """Computed with ``openssl dgst -sha256 -hmac secret`` over ``1700000000.{}``."""
    assert signature("secret", 1_700_000_000, b"{}") == (
        "t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
    )
