"""The database keeps a code that an organisation has left for it, whoever writes."""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.db import IntegrityError, transaction

from instruments.models import FormerIdentifier, OrganisationIdentifier

pytestmark = pytest.mark.django_db
OURS, THEIRS, LATER = "91630100MA00000151", "91630100MA00000231", "91630100MA00000311"


def refused(write: Any, words: str) -> None:
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        write()


def given(organisation: Any, value: str) -> OrganisationIdentifier:
    return OrganisationIdentifier.objects.create(organisation=organisation, scheme="uscc", value=value)


def test_a_code_that_was_left_is_given_to_nobody_else_and_only_its_holder_leaves_it(cast: Any) -> None:
    OrganisationIdentifier.objects.filter(organisation__in=(cast.firm, cast.other_firm)).delete()
    mine, theirs = given(cast.firm, OURS), given(cast.other_firm, THEIRS)

    def leave(organisation: Any, value: str) -> None:
        FormerIdentifier.objects.create(organisation=organisation, scheme="uscc", value=value, left_at=cast.now)

    # Only who has a code leaves it: a code of others, or of nobody, is not kept for whoever says so.
    for value in (THEIRS, LATER):
        refused(lambda value=value: leave(cast.firm, value), "is not held by organisation")
    with transaction.atomic():  # the control
        with pgtrigger.ignore("instruments.FormerIdentifier:former_identifier_of_its_holder"):
            leave(cast.firm, THEIRS)
        transaction.set_rollback(True)

    leave(cast.firm, OURS)
    OrganisationIdentifier.objects.filter(pk=mine.pk).update(value=LATER)
    refused(lambda: OrganisationIdentifier.objects.filter(pk=theirs.pk).update(value=OURS), "is kept for who has left it")
    theirs.delete()
    refused(lambda: given(cast.other_firm, OURS), "is kept for who has left it")
    refused(lambda: OrganisationIdentifier.objects.bulk_create(
        [OrganisationIdentifier(organisation=cast.lab, scheme="uscc", value=OURS)]), "is kept for who has left it")  # fmt: skip
    with transaction.atomic():  # the control
        with pgtrigger.ignore("instruments.OrganisationIdentifier:identifier_not_left_by_another"):
            given(cast.other_firm, OURS)
        transaction.set_rollback(True)
    # Another scheme is another code, and who left it may take it again.
    OrganisationIdentifier.objects.create(organisation=cast.other_firm, scheme="foreign-registration", value=OURS)
    OrganisationIdentifier.objects.filter(pk=mine.pk).update(value=OURS)
