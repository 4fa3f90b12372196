"""Every route x every role x {ours, theirs, missing}, with words that must not be read by the other side."""

from __future__ import annotations

import pytest

from tests.access import asking
from tests.access import world as worlds
from tests.access.asking import ABSENT, OURS, THEIRS, Answer
from tests.access.matrix import MATRIX, OFFICIALS, OUTSIDE, SUPERVISORS, Route, Rule, only
from tests.access.world import ROLES, World
from tests.browser.pages import PAGES
from tests.turns import in_turns

pytestmark = pytest.mark.django_db

#: A word -> who may ever read it.
READERS = {
    worlds.OURS_PEOPLE: only("researcher", "firm_admin", "lab_manager", "owner_finance") | OFFICIALS,
    worlds.OURS_WORK: only("researcher", "firm_admin", "lab_manager", "owner_finance") | SUPERVISORS,
    worlds.OURS_HIDDEN: only("lab_manager", "operator"),
    worlds.OURS_CHANGE: only("lab_manager", "operator", "inspector"),
    worlds.OURS_PROBLEM: only("researcher", "lab_manager", "operator"),
    worlds.OURS_RECORD: only("researcher", "lab_manager", "operator", "inspector"),
    worlds.THEIRS_RECORD: only("foreign", "operator", "inspector"),
    worlds.OURS_MONEY: only("researcher", "firm_admin", "inspector"),
    worlds.THEIRS_MONEY: only("foreign", "inspector"),
    worlds.OURS_KEYS: only("researcher", "firm_admin"),
    worlds.THEIRS_PEOPLE: only("foreign") | OFFICIALS,
    worlds.THEIRS_WORK: only("foreign") | SUPERVISORS,
    worlds.THEIRS_HIDDEN: only("operator"),
    worlds.THEIRS_CHANGE: only("operator", "inspector"),
    worlds.THEIRS_PROBLEM: only("foreign", "operator"),
    worlds.THEIRS_KEYS: only("foreign"),
}
#: Who holds the link of an invitation may read who invites, and who holds that of a calendar what its person may.
LINKS = frozenset({"invitation_accept", "feed_private"})
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def is_api(name: str) -> bool:
    return name.startswith("api_")


EVERY = 14
"""``make test`` asks in turns. On every route ``foreign`` asks and one of the roles that may (on each third of the pages that the browser
opens for whom they are made); the others ask on each fourteenth, each role on others than its neighbours; some of them ask for theirs
and what is missing too. ``make proof`` asks for everything as all of them."""
IN_TURN = 3
"""What frameworks answer, each third route is asked for; ``make proof`` asks all."""
SEEN = {page.route for page in PAGES}
PLACES = {name: place for place, name in enumerate(sorted(MATRIX))}


def is_seen_in_the_browser(name: str, route: Route, rule: Rule) -> bool:
    return name in SEEN and rule is route.methods.get("GET")


def targets(name: str, route: Route, rule: Rule, role: str, *, every: int) -> tuple[str, ...]:
    turn = PLACES[name] + list(ROLES).index(role)
    may = [each for each in ROLES if each in rule.may | rule.may_theirs]
    is_opened = is_seen_in_the_browser(name, route, rule) and PLACES[name] % IN_TURN != 0
    always = role == "foreign" or (role in may and role == may[PLACES[name] % len(may)] and not is_opened)
    if turn % every and not always:
        return ()
    if not route.kind:
        return (OURS,)
    if turn % (every if role in may or every == 1 else 2 * every) == 0:
        return (OURS, THEIRS, ABSENT)
    return (OURS, THEIRS) if role == "foreign" and turn % IN_TURN == 0 else (OURS,)


def faults_of(world: World, name: str, route: Route, *, every: int = 1) -> list[str]:
    """One sentence for each answer that is not what the matrix says. ``every``: as ``EVERY``, 1 for all that can be asked."""
    faults = []
    for method, rule in route.methods.items():
        for role in ROLES:
            answers: dict[str, Answer] = {}
            for target in targets(name, route, rule, role, every=every):
                url, body = asking.address(world, name, route, target), rule.body(world) if rule.body else {}
                as_json = is_api(name) and not rule.as_form
                answers[target] = answer = asking.ask(world, role, method, url, body, as_json=as_json, fragment=route.fragment)
                said = f"{method} {name} ({target}) as {role}"
                wrong = asking.fault(rule, route, role, target, answer, is_api=is_api(name))
                if wrong:
                    faults.append(f"{said} {wrong}: {answer.body[:160]!r}")
                faults += [
                    f"{said} leaks {word}"
                    for word, readers in READERS.items()
                    if role not in readers and answer.holds(word) and name not in LINKS
                ]
            faults += _told_apart(world, name, route, method, role, answers)
    return faults


def _told_apart(world: World, name: str, route: Route, method: str, role: str, answers: dict[str, Answer]) -> list[str]:
    """A foreign object must look like one that does not exist."""
    if ABSENT not in answers or answers[THEIRS].status not in {401, 403, 404} or role in route.sees[1]:
        return []
    foreign, missing = answers[THEIRS], answers[ABSENT]
    said = f"{method} {name} as {role}: theirs can be told from missing"
    if foreign.status != missing.status:
        return [f"{said}: {foreign.status} and {missing.status}"]
    if is_api(name) and foreign.body != missing.body:
        return [f"{said}: {foreign.body!r} and {missing.body!r}"]
    return []


def test_every_route_is_classified():
    routes = {name for name in asking.all_routes() if not name.startswith("admin:")}
    assert not routes - set(MATRIX) - OUTSIDE, "say in tests/access/matrix.py who may go there"
    assert not (set(MATRIX) | OUTSIDE) - routes, "these are classified and are not there any more"


@pytest.mark.parametrize("name", sorted(MATRIX))
def test_each_role_gets_what_the_matrix_says(world, name):
    assert faults_of(world, name, MATRIX[name], every=EVERY) == []


@pytest.mark.proof
@pytest.mark.parametrize("name", sorted(MATRIX))
def test_no_role_can_tell_what_is_foreign_from_what_is_missing(world, name):
    assert faults_of(world, name, MATRIX[name]) == []


def test_on_each_route_somebody_who_may_asks_and_each_role_for_theirs_and_what_is_missing_on_many():
    for name, route in MATRIX.items():
        for rule in route.methods.values():
            may = rule.may | rule.may_theirs
            asked_at_all = any(targets(name, route, rule, role, every=EVERY) for role in may)
            assert not may or asked_at_all or is_seen_in_the_browser(name, route, rule), name
    for role in ROLES:
        asked = [
            name
            for name, route in MATRIX.items()
            if any(ABSENT in targets(name, route, rule, role, every=EVERY) for rule in route.methods.values())
        ]
        assert len(asked) > 20, role


def unclassified(name: str) -> list[str]:
    """The methods that a route does not list; of pages those that a browser sends."""
    sent = METHODS if is_api(name) else ("GET", "POST")
    return [method for method in sent if method not in MATRIX[name].methods]


def done_by(world: World, name: str, methods: list[str]) -> dict[str, int]:
    """Those methods that something else than a refusal answers, for whoever may do the most on the route."""
    role = ("lab_manager", "operator")[PLACES[name] % 2]
    url = asking.address(world, name, MATRIX[name], OURS)
    answers = {method: asking.ask(world, role, method, url, {}, as_json=is_api(name)).status for method in methods}
    return {method: status for method, status in answers.items() if status not in {403, 404, 405}}


@pytest.mark.parametrize("name", in_turns([name for name in PLACES if unclassified(name)], IN_TURN))
def test_a_method_that_is_not_classified_does_nothing(world, name):
    """One of them, in turn; ``make proof`` tries all."""
    methods = unclassified(name)
    assert done_by(world, name, [methods[PLACES[name] % len(methods)]]) == {}


@pytest.mark.proof
@pytest.mark.parametrize("name", [name for name in sorted(MATRIX) if len(unclassified(name)) > 1])
def test_no_method_that_is_not_classified_does_anything(world, name):
    assert done_by(world, name, unclassified(name)) == {}


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_pages_of_libraries_neither_break_nor_leak(world, name):
    extra = {"account_confirm_email": {"key": "x"}, "account_reset_password_from_key": {"uidb36": "1", "key": "x-y"}}
    url = asking.reverse(name, kwargs=extra.get(name, {}))
    for role in ("anonymous", "outsider", "firm_admin", "foreign"):
        for method in ("GET", "POST"):
            answer = asking.ask(world, role, method, url, {})
            assert answer.status in {200, 302, 400, 403, 404, 405, 429}, (role, method, answer.status)
            own = {word for word, readers in READERS.items() if role in readers}
            assert not [word for word in READERS if word not in own and answer.holds(word)], (role, method)


@pytest.mark.parametrize(
    "name", in_turns([name for name in PLACES if MATRIX[name].kind and "pk" in MATRIX[name].params], IN_TURN)
)
def test_numbers_beyond_any_id_are_missing_objects(world, name):
    route = MATRIX[name]
    beyond = asking.address(world, name, route, ABSENT).replace(str(worlds.MISSING), "9" * 30)
    role = ("lab_manager", "finance")[sorted(MATRIX).index(name) % 2]
    for method in route.methods:
        answer = asking.ask(world, role, method, beyond, {}, as_json=is_api(name))
        if answer.status in {403, 404}:
            continue
        usual = asking.ask(world, role, method, asking.address(world, name, route, ABSENT), {}, as_json=is_api(name))
        assert answer.status == usual.status, (method, role, answer.status, usual.status)


CONTROLLED = (
    "api_reservation",
    "api_reservations",
    "reservation_detail",
    "api_charge",
    "api_statement",
    "api_organisation-detail",
)


@pytest.mark.parametrize("name", CONTROLLED)
def test_without_scopes_the_matrix_fails(world, monkeypatch, name):
    """Negative control: everything visible to everybody is noticed."""
    from config.kernel import access

    monkeypatch.setattr(access, "_scopes", dict.fromkeys(access._scopes, lambda rows, actor: rows))
    assert any("leaks" in fault or "instead of" in fault for fault in faults_of(world, name, MATRIX[name], every=EVERY))
