"""Django looks for ``DatabaseWrapper`` here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base, client

from config.embedded import server


class DatabaseClient(client.DatabaseClient):
    """``manage.py dbshell`` with the packaged psql."""

    executable_name = str(server.programs() / "psql")


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL whose socket folder is known only once the private server runs."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        home = Path(self.settings_dict["JISHI_HOME"])
        database = self.settings_dict["EMBEDDED_DATABASE"]
        self.settings_dict["HOST"] = server.socket_folder(home, database)
        return super().get_connection_params()
