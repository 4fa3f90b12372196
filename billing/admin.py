"""What nobody sees in the pages, in the read-only admin."""

from billing.settlement.models import NumberSeries
from config.kernel.admin import show

show(NumberSeries)
