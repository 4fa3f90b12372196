"""Bills of November and money that came in, with bookings still to be made."""

from tests.billing.payments.conftest import begins_with_month, bill, month, take

__all__ = ["begins_with_month", "bill", "month", "take"]
