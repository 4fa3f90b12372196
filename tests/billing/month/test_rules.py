"""The pure decisions of a month: what is odd, what is parked, which equations hold, how runs differ, how long work takes, what an archive
is."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from billing.month.rules import anomalies
from billing.month.rules.anomalies import Odd
from billing.month.rules.archive import packed
from billing.month.rules.drafts import Bounds, Figures, differences, drafts_of, figures_of, fingerprint, identities, sums_of
from billing.month.rules.lines import Line, Proof, Use
from billing.month.rules.progress import progress

MORNING = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
IDS = count(1)
BOUNDS = Bounds(most_lines=3, first_on=date(2026, 11, 1))


def use(first=0.0, hours=2.0, **more):
    starts_at = MORNING + timedelta(hours=first)
    given = {"instrument_id": 1, "person_id": 1, "billed_minutes": int(hours * 60), "most_minutes": 480, "open": True}
    given |= {"of": ("session", next(IDS)), "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=hours)}
    return Use(**given | more)


def job(**more):
    """A sample job of which all three samples were tested."""
    of = ("job", next(IDS))
    given = {"of": of, "instrument_id": None, "person_id": 1, "billed_samples": 3, "tested_samples": 3}
    return Use(**given | {"starts_at": MORNING, "ends_at": MORNING} | more)


def shown(used, *marks):
    return replace(used, proofs=tuple(Proof(mark, used.of) for mark in marks))


def line(pk, used=None, party=7, amount=100_00, **more):
    given = {
        "thing": "charge", "thing_id": pk, "party_id": party, "version_id": None, "at": MORNING, "service_on": MORNING.date(),
        "gross_fen": amount, "deducted_fen": 0, "relieved_fen": 0, "refunded_fen": 0, "claims_fen": 0, "amount_fen": amount,
    }  # fmt: skip
    return Line(**given | {"use": used} | more)


def codes(*lines, beside=(), elsewhere=()):
    return {pk: found for (_thing, pk), found in anomalies.found(lines, beside, elsewhere).items()}


def test_nothing_is_odd_about_plain_sessions_one_after_the_other():
    assert codes(line(1, use(0)), line(2, use(2)), line(3, use(5, person_id=2))) == {}


@pytest.mark.parametrize(
    ("used", "other", "code"),
    [
        (use(0, 3), use(2, 3, person_id=2), Odd.OVERLAP),
        (use(0, 3), use(2, 3, instrument_id=2), Odd.AT_ONCE),
        (shown(use(0), "logbook p. 4"), shown(use(3), "logbook p. 4"), Odd.SAME_EVIDENCE),
        (shown(job(), "a" * 64), shown(job(person_id=2), "a" * 64), Odd.SAME_EVIDENCE),
    ],
)
def test_two_that_cannot_both_be_are_both_named(used, other, code):
    assert codes(line(1, used), line(2, other)) == {1: (code,), 2: (code,)}


def test_a_long_session_overlaps_each_of_the_short_ones_within_it_and_an_empty_one_none():
    found = codes(line(1, use(0, 8)), line(2, use(1, 1)), line(3, use(3, 1)), line(4, use(3.5, 0, billed_minutes=0)))
    assert found == {1: (Odd.OVERLAP,), 2: (Odd.OVERLAP,), 3: (Odd.OVERLAP,)}


def test_closed_hours_related_parties_and_charges_without_use_are_named_alone():
    found = codes(
        line(1, use(0, open=False)),
        line(2, use(3, related=True)),
        line(3, use(6, 0, billed_minutes=60)),
        line(4, use(9, open=None)),
    )
    assert found == {1: (Odd.CLOSED,), 2: (Odd.RELATED,), 3: (Odd.ZERO_USE,)}


def test_a_sample_job_is_looked_at_for_what_it_can_be_odd_in():
    found = codes(
        line(1, job()),
        line(2, job(related=True)),
        line(3, job(tested_samples=0)),
        line(4, job(tested_samples=2)),
        line(5, job(billed_samples=0, tested_samples=0)),
    )
    assert found == {2: (Odd.RELATED,), 3: (Odd.ZERO_USE,), 4: (Odd.ZERO_USE,), 5: (Odd.ZERO_USE,)}


def test_what_was_issued_before_is_at_once_with_a_line_too_and_is_no_line_itself():
    assert codes(line(1, use(0)), line(2, use(5)), beside=[use(1, person_id=2), use(9, 3, instrument_id=7)]) == {
        1: (Odd.OVERLAP,)
    }
    assert codes(line(1, use(0)), beside=[use(1, instrument_id=2)]) == {1: (Odd.AT_ONCE,)}
    assert codes(line(1, use(0)), beside=[use(2, person_id=2), use(2, instrument_id=2)]) == {}


def test_several_lines_of_one_session_are_not_two_at_once_nor_is_their_proof_used_twice():
    once = shown(use(0), "logbook p. 4")
    assert codes(line(1, once), line(2, once), beside=[once]) == {}
    assert codes(line(1, once), line(2, once), beside=[use(1, instrument_id=2)]) == {1: (Odd.AT_ONCE,), 2: (Odd.AT_ONCE,)}


def test_a_file_that_shows_something_else_too_is_named_and_one_for_all_of_a_sheet_is_not():
    scan = Proof("b" * 64, ("sheet", 1))
    two = [line(1, replace(use(0), proofs=(scan,))), line(2, replace(use(3), proofs=(scan,)))]
    assert codes(*two, elsewhere=[scan]) == {}
    assert codes(*two, elsewhere=[replace(scan, of=("sheet", 2))]) == {1: (Odd.SAME_EVIDENCE,), 2: (Odd.SAME_EVIDENCE,)}


def test_lengths_hug_the_limit_only_where_a_payer_has_three_and_they_are_half_of_its_sessions():
    near = [line(pk, use(9 * pk, 8)) for pk in range(3)]
    assert codes(*near) == dict.fromkeys(range(3), (Odd.HUGGING,))
    assert codes(*near[:2]) == {}
    short = [line(10 + pk, use(100 + 2 * pk, 1)) for pk in range(4)]
    assert codes(*near, *short) == {}
    assert codes(*near, *(line(20 + pk, job()) for pk in range(4))) == dict.fromkeys(range(3), (Odd.HUGGING,))
    assert codes(*(replace(each, party_id=each.thing_id) for each in near)) == {}
    just_below = [line(pk, use(9 * pk, 7.5)) for pk in range(3)]
    assert codes(*just_below) == {}


def test_lines_become_a_draft_for_each_party_the_largest_first_and_late_ones_are_counted():
    late = line(3, party=8, amount=500_00, service_on=date(2026, 10, 31))
    drafts = drafts_of([line(1), line(2, amount=1), late], BOUNDS)
    assert [(each.party_id, each.sums.lines, each.sums.total_fen, each.prior_count, each.fault) for each in drafts] == [
        (8, 1, 500_00, 1, None),
        (7, 2, 100_01, 0, None),
    ]


@pytest.mark.parametrize(
    ("lines", "bounds", "code"),
    [
        ([line(pk) for pk in range(4)], BOUNDS, "bill.too_long"),
        ([line(1)], replace(BOUNDS, suspended=frozenset({7})), "month.party_suspended"),
        ([line(1, amount_fen=99_00)], BOUNDS, "month.does_not_add_up"),
        ([line(1, deducted_fen=10_00, amount_fen=90_00)], BOUNDS, "month.does_not_add_up"),
        ([line(1, refunded_fen=5, awards=(0, 5), claims_fen=4)], BOUNDS, "month.does_not_add_up"),
        ([line(1, amount=0)], BOUNDS, "month.does_not_add_up"),
        ([line(1, thing="award", claims_fen=100_00, gross_fen=99_00)], BOUNDS, "month.does_not_add_up"),
    ],
)
def test_what_does_not_hold_is_parked_with_its_reason_and_nobody_else_is(lines, bounds, code):
    other = line(99, party=9)
    drafts = {each.party_id: each for each in drafts_of([*lines, other], bounds)}
    assert drafts[7].fault is not None and drafts[7].fault.code == code
    assert drafts[9].fault is None


def test_the_equations_hold_over_lines_that_add_up_and_say_both_sides_where_they_do_not():
    first = line(1, gross_fen=100, deducted_fen=30, refunded_fen=20, awards=(30, 20), claims_fen=50, amount_fen=70)
    fee = line(2, thing="fee", gross_fen=50, relieved_fen=10, amount_fen=40)
    sums = sums_of([first, fee])
    assert [(each.code, each.left_fen, each.holds) for each in identities(sums, bills=True)] == [
        ("payable", 110, True),
        ("final", 90, True),
        ("claims", 50, True),
    ]
    assert [each.holds for each in identities(replace(sums, claims_fen=49), bills=True)] == [True, False, False]
    assert [each.holds for each in identities(replace(sums, total_fen=50), bills=False)] == [True]


def test_runs_differ_by_party_the_largest_first_and_have_one_name_for_one_content():
    now = drafts_of([line(1), line(2, party=8)], BOUNDS)
    before = [Figures(7, None, "", 1, 90_00, False), Figures(9, None, "", 2, 300_00, True), figures_of(now[1])]
    changes = differences(before, [figures_of(each) for each in now])
    assert [(each.party_id, each.difference_fen) for each in changes] == [(9, -300_00), (7, 10_00)]
    assert fingerprint(now, {"a": 1}) == fingerprint(now[::-1], {"a": 1}) != fingerprint(now, {"a": 2})
    assert fingerprint(now, {}) != fingerprint(drafts_of([line(1), line(3, party=8)], BOUNDS), {})


def test_how_long_it_takes_follows_from_the_present_turn_and_is_not_said_before_anything_was_done():
    later = MORNING + timedelta(seconds=10)
    assert progress(1000, 230, 7, 137, MORNING, later).seconds_left == 76
    assert progress(1000, 0, 0, 0, MORNING, later).seconds_left is None
    assert progress(1000, 500, 0, 500, None, later).seconds_left is None
    assert progress(10, 9, 1, 0, MORNING, later).seconds_left is None


def test_an_archive_is_the_same_whatever_the_order_and_says_the_hash_of_every_file():
    one = packed({"b.txt": b"2", "a/ä.txt": b"1"}, {"kind": "bill"})
    assert one == packed({"a/ä.txt": b"1", "b.txt": b"2"}, {"kind": "bill"})
    assert one.sha256 != packed({"b.txt": b"3", "a/ä.txt": b"1"}, {"kind": "bill"}).sha256
    with zipfile.ZipFile(io.BytesIO(one.content)) as archive:
        assert archive.namelist() == ["manifest.json", "a/ä.txt", "b.txt"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["file_count"], manifest["bytes"], manifest["kind"]) == (2, 2, "bill")
    for bad in ("/etc", "../x", "manifest.json", "a\\b"):
        with pytest.raises(ValueError, match="not a path"):
            packed({bad: b""}, {})


def test_money_of_two_ways_of_settlement_for_one_payee_is_two_drafts():
    of = {"thing": "award", "version_id": 3, "claims_fen": 100_00}
    lines = [line(1, mode="deducted_now", **of), line(2, mode="paid_beside", **of), line(3, mode="paid_beside", **of)]
    found = drafts_of(lines, BOUNDS)
    assert [(draft.key, draft.sums.lines) for draft in found] == [((7, 3, "paid_beside"), 2), ((7, 3, "deducted_now"), 1)]
    assert [each.mode for each in differences([], map(figures_of, found))] == ["paid_beside", "deducted_now"]
    assert fingerprint(found, {}) != fingerprint(drafts_of([replace(each, mode="paid_beside") for each in lines], BOUNDS), {})
