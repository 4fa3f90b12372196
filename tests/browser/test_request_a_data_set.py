"""A data set from asking to feedback in the browser, and the live quote of a test; by people who never met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.journey import log_in, newly_arrived, yuan
from tests.browser.pages import resource
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitor, Visitors

NAME = "Fluxes of a salt lake"
CONTENT = "sample,Li\nQ-1,168.2\n"


def data_set(site: Site) -> int:
    """A data set of the personas' lab for one test."""
    from django.utils import timezone

    from instruments.services import resources
    from tests.browser import stage

    with site.data():
        keeper = stage.persona(PERSONAS["lab_manager"])
        core = {"name": NAME, "access_terms": "Cite the lab.", "published": True}
        owner = min(keeper.organisations())
        return int(resources.create_resource(keeper, owner, "dataset", core, {"creators": ["Wang"]}, timezone.now()).pk)


def request_of(site: Site, resource_id: int) -> Any:
    from instruments.models import ResourceRequest

    with site.data():
        return ResourceRequest.objects.get(resource_id=resource_id)


def test_a_researcher_asks_the_lab_delivers_a_file_and_the_researcher_rates_it(
    people: Visitors, used: Site, tmp_path: Path
) -> None:
    pk = data_set(used)
    researcher, manager = newly_arrived(people), newly_arrived(people)

    log_in(researcher, "researcher")
    ask(researcher, pk)
    request = request_of(used, pk)
    assert (request.state, request.terms) == ("requested", "Cite the lab.")

    log_in(manager, "lab_manager")
    deliver(manager, tmp_path)
    assert request_of(used, pk).state == "delivered"

    page = researcher.page
    page.reload()
    expect(page.get_by_role("heading", name="Delivered")).to_be_visible()
    with page.expect_download() as loading:
        page.get_by_role("link", name="Load the file").click()
    loaded = tmp_path / "loaded.csv"
    loading.value.save_as(loaded)
    assert (loading.value.suggested_filename, loaded.read_text()) == ("fluxes.csv", CONTENT)

    page.get_by_label("4, good").check()
    page.get_by_label("What should the owner know?").fill("Clear and complete.")
    page.get_by_role("button", name="Send the feedback").click()
    expect(page.get_by_role("img", name="4 of 5")).to_be_visible()
    done = request_of(used, pk)
    assert (done.state, done.rating) == ("closed", 4)
    for visitor in (researcher, manager):
        assert visitor.faults.found == []


def ask(visitor: Visitor, pk: int) -> None:
    page = visitor.page
    visitor.open(f"/resources/{pk}/")
    page.get_by_role("link", name="Request", exact=True).click()
    page.get_by_role("button", name="Send the request").click()
    expect(page.locator(".error-summary")).to_be_focused()  # nothing was typed: it says so
    page.get_by_label("What is it for?").fill("To compare adsorbents.")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_label("What is it for?")).to_have_value("To compare adsorbents.")  # the terms are not accepted yet
    page.get_by_label("I have read the terms").check()
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_role("main")).to_contain_text("Waiting for the owner")


def deliver(visitor: Visitor, folder: Path) -> None:
    page = visitor.page
    visitor.open("/requests/inbox/")
    page.get_by_role("row", name=NAME).get_by_role("link").first.click()
    page.get_by_role("button", name="Approve and tell the requester").click()
    file = folder / "fluxes.csv"
    file.write_text(CONTENT)
    page.get_by_role("button", name="Delivered: tell the requester").click()
    expect(page.locator(".error-summary")).to_contain_text("Choose the file")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Delivered: tell the requester").click()
    expect(page.get_by_role("main")).to_contain_text("fluxes.csv")


def test_the_price_of_samples_follows_what_is_typed(people: Visitors, used: Site) -> None:
    with used.data():
        pk = resource("test_item", lab_only=True)
    researcher = newly_arrived(people)
    log_in(researcher, "researcher")
    page = researcher.page
    researcher.open(f"/resources/{pk}/")
    one = yuan(page.locator("#sample-quote .price > div dd").first.inner_text())
    with page.expect_response(lambda response: "/quote/" in response.url):
        page.get_by_label("Samples").fill("12")
    expect(page.locator("#sample-quote .price > div").first).to_contain_text("12 ×")
    assert yuan(page.locator("#sample-quote .price > div dd").first.inner_text()) == 12 * one
    with page.expect_response(lambda response: "/quote/" in response.url):
        page.get_by_label("Samples").fill("0")
    expect(page.locator("#sample-quote")).to_contain_text("between 1 and")
    assert researcher.faults.found == []
