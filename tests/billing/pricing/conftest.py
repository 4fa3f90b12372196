"""Fixtures that the tests of prices share with those of services."""

from tests.billing.services.conftest import *  # noqa: F403
