"""What is raised through a transaction, so that it is undone before alternatives are sought."""

from __future__ import annotations


class Taken(Exception):
    """Somebody else has the time."""


class NobodyCan(Taken):
    """Of those who may assist nobody works then, or all have something else."""
