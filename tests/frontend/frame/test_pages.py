"""The pages of the frame: home, help, errors, account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from billing.firms.services import incomes
from booking.models import Reservation
from tests.billing.firms.conftest import PDF
from tests.mailbox import mails

EN = {"HTTP_ACCEPT_LANGUAGE": "en"}
PASSWORD = "lake-of-salt-77"


@pytest.fixture
def lin(cast: Any, settings: Any) -> Any:
    """Dozens of log-ins are about counting, not about how slow our hash is."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user = cast.users["lin"]
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def logged_in(user: Any) -> Client:
    client = Client(**EN)
    client.force_login(user)
    return client


def test_a_visitor_sees_what_the_platform_is_and_what_can_be_found(cast: Any, programmes: Any) -> None:
    page = Client(**EN).get("/").content.decode()
    assert "Know the cost before you book" in page
    assert "Analytical instruments" in page
    assert "Demo innovation voucher" in page


def test_home_is_chinese_by_default(cast: Any) -> None:
    assert 'lang="zh-CN"' in Client().get("/").content.decode()


@pytest.mark.parametrize(
    ("name", "words"), [("lin", "Your next sessions"), ("wang", "Today in your laboratory"), ("zhou", "Licences to check")]
)
def test_home_shows_each_person_what_waits_for_them(cast: Any, name: str, words: str) -> None:
    page = logged_in(cast.users[name]).get("/").content.decode()
    assert words in page
    assert f"Welcome back, {name.title()}" in page


def test_somebody_of_the_lab_finds_their_own_bookings_too(cast: Any, programmes: Any, ask: Any, clock: Any) -> None:
    booked = Reservation.objects.filter(pk=ask(9, 12))
    page, mine = reverse("reservation_detail", args=[booked.get().pk]), reverse("reservation_list")
    entry = f'<a href="{mine}" data-go="b"'
    wang, finance = logged_in(cast.users["wang"]), logged_in(cast.users["li"])
    home = wang.get("/").content.decode()
    assert "Your next sessions" not in home and entry in home
    assert entry not in finance.get("/").content.decode()
    for name, client in (("wang", wang), ("li", finance)):
        booked.update(requested_by=cast.users[name])
        home = client.get("/").content.decode()
        assert "Your next sessions" in home and page in home and entry in home
        assert page in client.get(mine).content.decode()


def test_home_says_what_organisations_handed_in_to_whoever_looks_at_it(cast: Any) -> None:
    assert "Figures of income to check" not in logged_in(cast.users["chen"]).get("/").content.decode()
    incomes.declare(cast.actor("li"), cast.lab.pk, 2025, 3_000_000_00, "audited", PDF, cast.now)
    page = logged_in(cast.users["chen"]).get("/").content.decode()
    assert "Figures of income to check" in page and reverse("income_queue") in page
    for other in ("lin", "wang", "li", "zhou"):
        assert "Figures of income to check" not in logged_in(cast.users[other]).get("/").content.decode()


def test_home_offers_to_join_to_a_person_without_an_organisation(cast: Any, django_user_model: Any) -> None:
    person = django_user_model.objects.create(email="new@example.org", full_name="New", language="en")
    assert "Join or register your organisation" in logged_in(person).get("/").content.decode()


def test_the_navigation_holds_only_what_the_role_may_do(cast: Any) -> None:
    approvals = f'href="{reverse("approval_inbox")}"'
    assert approvals in logged_in(cast.users["wang"]).get("/help/").content.decode()
    assert approvals not in logged_in(cast.users["lin"]).get("/help/").content.decode()


def test_a_person_reads_their_own_language_where_the_browser_has_none_remembered(cast: Any) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="zh-hans")
    client.force_login(cast.users["lin"])
    assert 'lang="en"' in client.get("/help/").content.decode()
    client.cookies["django_language"] = "zh-hans"
    assert 'lang="zh-CN"' in client.get("/help/").content.decode()


@pytest.mark.parametrize(("cookie", "shown"), [("dark", "dark"), ("light", "light"), ("", "auto"), ("<script>", "auto")])
def test_the_theme_is_remembered_and_nothing_else_is_believed(db: None, cookie: str, shown: str) -> None:
    client = Client()
    client.cookies["theme"] = cookie
    assert f'data-theme="{shown}"' in client.get("/help/").content.decode()


def test_a_missing_page_is_a_designed_404(db: None) -> None:
    response = Client(**EN).get("/no/such/page/")
    assert response.status_code == 404
    assert "There is no such page here" in response.content.decode()


def test_an_expired_form_says_that_typing_is_not_lost(db: None) -> None:
    response = Client(enforce_csrf_checks=True, **EN).post("/language/", {"language": "en"})
    assert response.status_code == 403
    assert "what you typed is still there" in response.content.decode()


def test_a_crash_has_a_page_that_needs_no_database(rf: Any) -> None:
    from frontend.views.errors import server_error

    response = server_error(rf.get("/"))
    assert response.status_code == 500
    assert b"500" in response.content
    problem = server_error(rf.get("/api/v1/me/"))
    assert (problem.status_code, problem["Content-Type"]) == (500, "application/problem+json")
    assert json.loads(problem.content)["status"] == 500


def test_too_large_a_form_is_413(db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    response = Client(**EN).post("/language/", {"language": "en" * 50})
    assert response.status_code == 413


def test_settings_change_name_language_and_shortcuts(cast: Any) -> None:
    client = logged_in(cast.users["lin"])
    response = client.post("/settings/", {"full_name": "Lin Xia", "language": "zh-hans"})
    assert response.status_code == 302
    assert client.cookies["shortcuts"].value == "off"
    assert client.cookies["django_language"].value == "zh-hans"
    cast.users["lin"].refresh_from_db()
    assert (cast.users["lin"].full_name, cast.users["lin"].language) == ("Lin Xia", "zh-hans")
    assert 'data-shortcuts="off"' in client.get("/settings/").content.decode()


def test_a_name_that_hides_characters_is_refused_at_its_field(cast: Any) -> None:
    response = logged_in(cast.users["lin"]).post("/settings/", {"full_name": "Lin\u202eXia", "language": "en"})
    assert response.status_code == 422
    page = response.content.decode()
    assert 'id="id_full_name_problem"' in page and 'aria-invalid="true"' in page


def test_settings_need_a_log_in(db: None) -> None:
    assert Client().get("/settings/")["Location"] == "/accounts/login/?next=/settings/"


def test_signing_up_queues_the_confirmation_mail_and_keeps_the_name(db: None, django_user_model: Any) -> None:
    form = {"full_name": "Lin Xia", "email": "lin.xia@example.org", "password1": PASSWORD, "password2": PASSWORD}
    response = Client(**EN).post("/accounts/signup/", form)
    assert response.status_code == 302
    user = django_user_model.objects.get(email="lin.xia@example.org")
    assert (user.full_name, user.language) == ("Lin Xia", "en")
    (mail,) = mails()
    assert mail["to"] == ["lin.xia@example.org"]
    assert "/accounts/confirm-email/" in mail["text"]
    assert mail["subject"].endswith("Jishi")


def test_a_forgotten_password_is_reset_by_a_link_that_works_once(lin: Any) -> None:
    client = Client(**EN)
    client.post("/accounts/password/reset/", {"email": lin.email})
    text = mails()[0]["text"]
    link = next(word for word in text.split() if "/accounts/password/reset/key/" in word)
    form_page = client.get(link, follow=True)
    address = form_page.request["PATH_INFO"]
    done = client.post(address, {"password1": "another-lake-88", "password2": "another-lake-88"})
    assert done.status_code == 302
    lin.refresh_from_db()
    assert lin.check_password("another-lake-88")
    assert "Bad Token" in Client(**EN).get(link, follow=True).content.decode()


def test_after_a_log_in_one_goes_only_to_our_own_pages(lin: Any) -> None:
    credentials = {"login": lin.email, "password": PASSWORD}
    inside = Client(**EN).post("/accounts/login/", {**credentials, "next": "/help/"})
    outside = Client(**EN).post("/accounts/login/", {**credentials, "next": "https://evil.example/"})
    assert inside["Location"] == "/help/"
    assert outside["Location"] == "/"


def test_officials_set_up_a_second_factor_first_where_the_settings_say_so(cast: Any, settings: Any) -> None:
    settings.REQUIRE_MFA_FOR_OFFICIALS = True
    official = logged_in(cast.users["qian"])
    assert official.get("/settings/").status_code == 200
    assert official.get(reverse("organisation_list"))["Location"] == reverse("mfa_activate_totp")
    assert logged_in(cast.users["lin"]).get(reverse("organisation_list")).status_code == 200
    Authenticator.objects.create(user=cast.users["qian"], type="totp", data={"secret": "x"})
    assert official.get(reverse("organisation_list")).status_code == 200


def test_the_api_tells_an_official_without_a_second_factor_what_is_missing(cast: Any, settings: Any) -> None:
    settings.REQUIRE_MFA_FOR_OFFICIALS = True
    response = logged_in(cast.users["qian"]).get("/api/v1/organisations/")
    assert response.status_code == 403
    assert response.json()["code"] == "access.second_factor_needed"


@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_reset_password_done", "help"]
)
def test_public_account_pages_open(db: None, name: str) -> None:
    assert Client(**EN).get(reverse(name)).status_code == 200


def test_an_address_longer_than_we_keep_signs_nobody_up(db: None, django_user_model: Any) -> None:
    typed = {"full_name": "A", "email": "x" * 250 + "@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert Client(**EN).post(reverse("account_signup"), typed).status_code == 200
    assert not django_user_model.objects.exists()


def log_in(user: Any, password: str, address: str) -> bool:
    """Whether a log-in from ``address`` succeeds."""
    client = Client(**EN, REMOTE_ADDR=address)
    return client.post(reverse("account_login"), {"login": user.email.upper(), "password": password}).status_code == 302


def test_who_guesses_from_one_address_locks_out_that_address_only(lin: Any) -> None:
    assert [log_in(lin, "wrong", "10.0.0.1") for _ in range(5)] == [False] * 5
    assert not log_in(lin, PASSWORD, "10.0.0.1")
    assert log_in(lin, PASSWORD, "10.0.0.2")


def test_who_guesses_from_many_addresses_is_stopped_all_the_same(lin: Any) -> None:
    for place in range(10):
        for _ in range(5):
            assert not log_in(lin, "wrong", f"10.0.1.{place}")
    assert not log_in(lin, PASSWORD, "10.0.0.9")


def test_logging_in_often_is_no_failure(lin: Any, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"login_failed_everywhere": "3/h/key"}
    assert all(log_in(lin, PASSWORD, f"10.0.2.{place}") for place in range(5))


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "mfa_index", "account_logout", "account_settings"])
def test_own_account_pages_open(lin: Any, name: str) -> None:
    assert logged_in(lin).get(reverse(name)).status_code == 200
