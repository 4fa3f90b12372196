from tests.frontend.acting import as_, clock  # noqa: F401
