"""The accounts that the demo prints when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from config.demo.source import words

DEMO_PASSWORD = "plateau-demo-2026"  # noqa: S105  (printed on the console of a demo with invented data)

SECOND_PEOPLE = ("second_officer", "second_finance", "second_owner_finance")


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One persona: what the person does, the e-mail address to log in with, and the password."""

    label: str
    email: str
    password: str


def demo_accounts() -> list[DemoAccount]:
    """One account per persona, in the order of the main job; then those whom what takes two people needs."""
    people = words("people")
    shown = [*people["personas"], *(people[key] for key in SECOND_PEOPLE)]
    return [DemoAccount(each["label"], each["email"], DEMO_PASSWORD) for each in shown]
