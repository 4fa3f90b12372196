"""``python -m tests.bench.find_again DATABASE``: *find* in a country that is there already (``make_nation``, migrated), against the
bare SQL, in turns. It asks what the proof asks and writes nothing, so that a change can be looked at within a minute."""

from __future__ import annotations

import argparse
import os


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    database = parser.parse_args().database
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from instruments.models import Instrument
    from tests import databases
    from tests.bench import country, harness, nation

    with databases.default_is(database):
        country.measured_alone()
        found = nation.find_again(Instrument.objects.count())
    harness.print_table(nation.find_figures(found), print)


if __name__ == "__main__":
    main()
