"""What helps to find things: the vocabulary of suggestions, counts of the whole catalogue, and searches that somebody keeps."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class SearchTermKind(models.TextChoices):
    """What a suggested term is. A ``word`` is not suggested by itself: it mends what was mistyped."""

    INSTRUMENT = "instrument"
    TEST_ITEM = "test_item"
    TECHNIQUE = "technique"
    OWNER = "owner"
    MODEL = "model"
    ELEMENT = "element"
    OTHER = "other"
    WORD = "word"


class SearchTerm(models.Model):
    """One term of the public catalogue's vocabulary; made anew by ``instruments.services.vocabulary``.

    ``term`` is shown as it is written; ``term_en`` in English where it has such a name. ``folded`` is NFKC and case folded.
    ``weight`` is how many entries have it. ``target`` is the owner's id, the technique's code
    or the element's symbol. ``tokens`` are its words,
    pinyin and initials (found by their beginning); ``grams`` are the pieces by which a mistyped word is found.
    """

    kind = models.CharField(max_length=20, choices=SearchTermKind.choices)
    term = models.CharField(max_length=500)
    term_en = models.CharField(max_length=500, blank=True)
    folded = models.CharField(max_length=500)
    target = models.CharField(max_length=110, blank=True)
    weight = models.PositiveIntegerField(default=1)
    tokens = SearchVectorField(null=True, editable=False)
    grams = ArrayField(models.CharField(max_length=64), default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "folded", "target"], name="search_term_once")]
        indexes = [
            GinIndex(fields=["tokens"], name="search_term_tokens"),
            GinIndex(fields=["grams"], name="search_term_grams"),
            models.Index(fields=["-weight"], name="search_term_by_weight"),
        ]


class CatalogueCount(models.Model):
    """How many public entries, retired ones left out, have a facet value: the counts of the empty search where they are too many
    to count while somebody waits. ``*`` counts all."""

    value = models.CharField(max_length=110, primary_key=True)
    count = models.PositiveIntegerField()


class SavedSearch(models.Model):
    """A search that somebody keeps, as the query of its address (``instruments.rules.search_state``).

    With ``alert`` new entries are told by mail: those public since shortly before ``last_checked_at`` that are not in ``told``, the
    ids of entries told lately.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=1000, blank=True)
    alert = models.BooleanField(default=False)
    told = ArrayField(models.BigIntegerField(), default=list, blank=True)
    last_checked_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "query"], name="saved_search_once")]
        indexes = [models.Index(fields=["alert", "last_checked_at"], name="saved_search_due")]

    def __str__(self) -> str:
        return self.name
