"""``manage.py bootstrap``: the first operator and an otherwise empty province."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.models import User
from instruments.services.bootstrap import found_province

PASSWORD_VARIABLE = "JISHI_OPERATOR_PASSWORD"  # noqa: S105  (the variable's name)


class Command(BaseCommand):
    help = (
        "Create the first operator and their office in an empty database. The password comes from "
        f"{PASSWORD_VARIABLE}; without it a one-time link to set one is printed. Refuses to run twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True, help="the operator's full name")
        parser.add_argument("--office", default="Platform operations", help="the government office that operates")

    def handle(self, *args: Any, email: str, name: str, office: str, **options: Any) -> None:
        password = os.environ.get(PASSWORD_VARIABLE) or None
        if password is not None:
            try:
                validate_password(password, User(email=email, full_name=name))
            except ValidationError as error:
                raise CommandError(f"{PASSWORD_VARIABLE}: {' '.join(error.messages)}") from None
        try:
            operator = found_province(email, name, office, password, timezone.now())
        except Refusal as refusal:
            raise CommandError(" ".join(reason_sentence(reason) for reason in refusal.reasons)) from None
        self.stdout.write(f"Operator {operator.email} of {office} is ready.")
        if password is None:
            self.stdout.write(f"Set a password here (works once): {reset_link(operator)}")


def reset_link(user: User) -> str:
    """A link to set a password, valid once and as long as any reset link."""
    parts = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs=parts)
