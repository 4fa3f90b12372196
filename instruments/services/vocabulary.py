"""The vocabulary of suggestions and the counts of the whole catalogue, made anew from what is public.

Everything is read in batches into a temporary table and compared there, so that memory is bounded and only what differs is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from config.kernel.services.transactions import whole
from instruments.queries.techniques import known_techniques
from instruments.rules import misspelling, synonyms
from instruments.services import search_tokens

_BATCH = 2000
_MOST_WORDS = 200_000
_OWNERS_COUNTED = 200
_LATIN_WORD = re.compile(r"[^\W\d_]{4,40}")
_HAN_RUN = re.compile("[\u3400-\u9fff]{3,}")
_PUBLIC = "public AND status <> 'retired'"
Term = tuple[str, str, str, str, str, int, str, list[str]]
"""kind, term, term_en, folded, target, weight, tokens, grams"""

_COUNTS = f"""
INSERT INTO instruments_cataloguecount (value, count)
SELECT scope || '|' || value, found FROM (
    SELECT scope, value, count(*) AS found, row_number() OVER (PARTITION BY scope, left(value, 1) ORDER BY count(*) DESC, value) AS place
      FROM instruments_catalogueentry
     CROSS JOIN LATERAL unnest(ARRAY['', kind] || CASE kind WHEN 'facility' THEN ARRAY['instrument'] END) AS scope
     CROSS JOIN LATERAL unnest(facets || '*'::varchar) AS value
     WHERE {_PUBLIC} GROUP BY scope, value) counted
 WHERE left(value, 1) <> 'o' OR place <= {_OWNERS_COUNTED}"""  # noqa: S608  (our own constants)

_NAMES = f"""
SELECT CASE WHEN kind IN ('instrument', 'facility') THEN 'instrument' WHEN kind = 'test_item' THEN kind ELSE 'other' END,
       name, max(name_en), count(*)
  FROM instruments_catalogueentry WHERE {_PUBLIC} GROUP BY 1, 2"""  # noqa: S608
_MODELS = """
SELECT i.model, count(*) FROM instruments_catalogueentry e JOIN instruments_instrument i ON i.id = e.instrument_id
 WHERE e.public AND e.status <> 'retired' AND i.model <> '' GROUP BY 1"""
_OWNERS = """
SELECT o.id, o.name, o.name_en, count(*) FROM instruments_catalogueentry e JOIN instruments_organisation o ON o.id = e.organisation_id
 WHERE e.public AND e.status <> 'retired' GROUP BY o.id"""
_TECHNIQUES = "SELECT substr(value, 4), count FROM instruments_cataloguecount WHERE value LIKE '|t:%%'"
_ELEMENTS = f"""
SELECT asked.symbol, (SELECT count(*) FROM instruments_catalogueentry
                       WHERE {_PUBLIC} AND search @@ quote_literal('@' || lower(asked.symbol))::tsquery)
  FROM unnest(%s::text[]) AS asked(symbol)"""  # noqa: S608

_FRESH = """
CREATE TEMPORARY TABLE fresh_term (kind varchar, term varchar, term_en varchar, folded varchar, target varchar, weight integer,
                                   tokens tsvector, grams varchar[]) ON COMMIT DROP"""
_GONE = """
DELETE FROM instruments_searchterm old WHERE NOT EXISTS
       (SELECT 1 FROM fresh_term new WHERE (new.kind, new.folded, new.target) = (old.kind, old.folded, old.target))"""
_KEPT = """
INSERT INTO instruments_searchterm AS old (kind, term, term_en, folded, target, weight, tokens, grams)
SELECT DISTINCT ON (kind, folded, target) kind, term, term_en, folded, target, weight, tokens, grams FROM fresh_term
 ORDER BY kind, folded, target, weight DESC, term
    ON CONFLICT (kind, folded, target) DO UPDATE
       SET term = excluded.term, term_en = excluded.term_en, weight = excluded.weight, tokens = excluded.tokens, grams = excluded.grams
     WHERE (old.term, old.term_en, old.weight, old.tokens, old.grams)
           IS DISTINCT FROM (excluded.term, excluded.term_en, excluded.weight, excluded.tokens, excluded.grams)"""


@whole
def rebuild_vocabulary() -> int:
    """Make counts and terms anew; returns how many terms there are. Readers see the old ones until it is done."""
    words: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM instruments_cataloguecount")
        cursor.execute(_COUNTS)
        cursor.execute("DROP TABLE IF EXISTS pg_temp.fresh_term")
        cursor.execute(_FRESH)
        for terms in _batches(_terms(words)):
            _add(terms)
        for terms in _batches(_word_terms(words)):
            _add(terms)
        cursor.execute(_GONE)
        cursor.execute(_KEPT)
        cursor.execute("SELECT count(*) FROM instruments_searchterm")
        return int(cursor.fetchone()[0])


def catalogue_mark() -> str:
    """Changes when the catalogue does: how many entries there are and when the last one was written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(updated_at) FROM instruments_catalogueentry")
        count, last = cursor.fetchone()
    return f"{count} {last.isoformat() if last else ''}"


def _terms(words: Counter[str]) -> Iterator[Term]:
    for kind, name, name_en, count in _rows(_NAMES):
        for text in (name, name_en):
            _count_words(words, text, count)
        yield _term(kind, name, name_en, "", count, [name, name_en])
    for model, count in _rows(_MODELS):
        yield _term("model", model, "", "", count, [model])
    for pk, name, name_en, count in _rows(_OWNERS):
        yield _term("owner", name, name_en, str(pk), count, [name, name_en])
    for code, count in _rows(_TECHNIQUES):
        if (known := known_techniques().get(code)) is not None:
            forms = synonyms.forms_of(known)
            for form in forms:
                _count_words(words, form, count)
            yield _term("technique", known.zh or known.en, known.en, code, count, forms)
    for symbol, count in _rows(_ELEMENTS, [list(synonyms.elements())]):
        if count:
            element = synonyms.elements()[symbol]
            yield _term(
                "element",
                f"{element.zh} {symbol}",
                f"{element.en[0]} ({symbol})",
                symbol,
                count,
                [element.zh, symbol, *element.en],
            )
            _count_words(words, element.en[0], count)


def _term(kind: str, term: str, term_en: str, target: str, weight: int, texts: Iterable[str]) -> Term:
    found = frozenset[str]().union(*(search_tokens.words(text) | search_tokens.pinyin_words(text) for text in texts))
    tokens = " ".join(f"'{word}'" for word in sorted(found))
    grams = sorted(
        {piece for text in texts for run in _HAN_RUN.findall(synonyms.fold(text)) for piece in misspelling.han_pieces(run)}
    )
    return kind, term, term_en, synonyms.fold(term), target, weight, tokens, grams


def _word_terms(words: Counter[str]) -> Iterator[Term]:
    for word, count in words.items():
        yield "word", word, "", word, "", count, "", misspelling.latin_pieces(word)


def _count_words(words: Counter[str], text: str, weight: int) -> None:
    for word in _LATIN_WORD.findall(synonyms.fold(text)):
        if word.isascii() and (word in words or len(words) < _MOST_WORDS):
            words[word] += weight


def _rows(sql: str, params: list[Any] | None = None) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, read in batches through a cursor of the server's."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params or [])
        while rows := cursor.fetchmany(_BATCH):
            yield from rows


def _batches(terms: Iterable[Term]) -> Iterator[list[Term]]:
    batch: list[Term] = []
    for term in terms:
        batch.append(term)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _add(terms: list[Term]) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY fresh_term FROM STDIN") as copy:
        for *plain, grams in terms:
            copy.write_row([*plain, grams])
