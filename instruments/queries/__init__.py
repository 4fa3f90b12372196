"""Reads that pages and API share, with what an actor may see applied once."""

from instruments.queries.people import actor_for

__all__ = ["actor_for"]
