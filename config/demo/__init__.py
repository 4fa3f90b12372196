"""The demo: an invented province."""
