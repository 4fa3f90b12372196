"""What the check of a programme's document says in English for who writes JSON, in the reader's language for who fills in the form."""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_QUOTED = re.compile(r"'(\w+)'(?:, | or | and |$| \(.*?\))")
#: After what is wrong the check says what to write instead; the sentences here say that in their own words.
_HINT = r"(?:;.*)?"
#: The sentences of the check, from the narrow ones to the wide, and the same for everybody.
_MEANINGS: tuple[tuple[re.Pattern[str], Promise | str], ...] = tuple(
    (re.compile(pattern + _HINT), words)
    for pattern, words in (
        (
            r"'?(?P<found>.*?)'? is not a day of the calendar",
            _("“%(found)s” is not a day of the calendar. Write for example 2026-12-31."),
        ),
        (r"the last day lies before the first", _("The last day lies before the first. Change one of them.")),
        (
            r"that is the programme itself or its own class",
            _("That is the programme itself or its own class. Name the classes or codes of other programmes."),
        ),
        (r"the id '(?P<found>.*?)' is taken", _("The id “%(found)s” is taken. Choose another one.")),
        (
            r"there is no clause '(?P<found>.*?)'",
            _("There is no clause “%(found)s”. Choose one of the clauses, or add it to them first."),
        ),
        (
            r"there is no cap '(?P<found>.*?)' before this one",
            _("There is no limit “%(found)s” further up. Name one that stands before this one, never itself."),
        ),
        (
            r"there is no cap '(?P<found>.*?)'",
            _("There is no limit “%(found)s” in this document. Use the id of one of its limits."),
        ),
        (r"(?P<found>.*) is not in this document", _("%(found)s is not in this document. Give the place of a field that is.")),
        (
            r"the grade '(?P<found>.*?)' has no factor",
            _("The grade “%(found)s” has no factor. Add one, or assume another grade."),
        ),
        (
            r"'(?P<found>\d+)' ends in zeros, which no code within that division has",
            _("%(found)s ends in zeros, which no code within that division has. Leave the pairs of zeros out."),
        ),
        (r"it is missing.*", _("This is needed. Fill it in.")),
        (
            r"it lies deeper than (?P<found>\d+) levels",
            _("This lies deeper than %(found)s levels. Put fewer parts in each other."),
        ),
        (
            r"it holds a character that cannot be kept.*",
            _("This holds a character that cannot be kept (U+0000, or half of one). Write it without."),
        ),
        (
            r"it holds a character that nobody sees \((?P<found>.*?)\)",
            _("This holds a character that nobody sees (%(found)s). Type it anew; it was perhaps pasted with the text."),
        ),
        (
            r"'(?P<found>.*?)' is not how a code of a division begins",
            _("“%(found)s” is not how the code of a division begins. Write up to six digits, for example 63."),
        ),
        (r"it belongs to another kind of condition", _("This belongs to another kind of condition. Leave it out here.")),
        (r"write exactly one of (?P<found>.*)", _("Fill in exactly one of: %(found)s.")),
        (r"the window ends before it begins", _("The window of time ends before it begins. Change one of its ends.")),
        (r"the title '(?P<found>.*?)' is taken", _("The title “%(found)s” is taken. Give every example its own.")),
        (
            r"there is no fact '(?P<found>.*?)'; did you mean '(?P<near>.*?)'\?.*",
            _("There is no fact “%(found)s”. Did you mean %(near)s? docs/programmes.md lists them; your own begin with other."),
        ),
        (
            r"there is no fact '(?P<found>.*?)'",
            _("There is no fact “%(found)s”. docs/programmes.md lists them; your own begin with other."),
        ),
        (r"the payer '(?P<found>.*?)' is named twice", _("The payer “%(found)s” is named twice. Put the shares together.")),
        (r"a payer is named twice", _("A payer is named twice. Put their shares together.")),
        (r"the shares must sum to 1", _("The shares must sum to 1. Change one of them.")),
        (r"'(?P<found>.*?)' is not one of the payers", _("“%(found)s” is not one of the payers. Choose one of them.")),
        (
            r"every tier but the last has 'up_to', the last has none",
            _("Every tier but the last needs an upper end, and the last has none."),
        ),
        (r"tiers must rise", _("Each tier must end above the one before it. Change the upper end.")),
        (
            r"money that is deducted_now goes to the provider",
            _("What is deducted now goes to the provider. Change the payee, or the way of settlement."),
        ),
        (
            r"money that is refunded_later goes to the firm",
            _("What is refunded later goes to the customer. Change the payee, or the way of settlement."),
        ),
        (
            r"money that is paid_beside goes to the provider",
            _("What is paid beside the bill goes to the provider. Change the payee, or the way of settlement."),
        ),
        (
            r"only what is paid_beside is sold to the office",
            _("Only what is paid beside the bill is sold to the office. Leave the invoice out, or change the way of settlement."),
        ),
        (r"the level '(?P<found>.*?)' is named twice", _("The level “%(found)s” is named twice. Put its rates together.")),
        (r"there is no payer '(?P<found>.*?)'", _("There is no payer “%(found)s” in this document. Name one of those who pay.")),
        (
            r"there is no claim '(?P<found>.*?)'; the claims are (?P<known>.*)",
            _("There is no claim “%(found)s” in this example. Its claims are: %(known)s."),
        ),
        (
            r"there is no code '(?P<found>.*?)'; did you mean '(?P<near>.*?)'\?",
            _("There is no code “%(found)s”. Did you mean %(near)s?"),
        ),
        (
            r"the cap '(?P<found>.*?)' \(.*?\) counts claims together; give (?P<needed>.*)",
            _("The limit “%(found)s” counts claims together. Give the fact %(needed)s."),
        ),
        (r"write 'facts', or 'claims' for a batch", _("Give the facts of the example, or its claims where it is of a batch.")),
        (r"only an example with several 'claims' has this", _("Only an example of a batch has this. Leave it out.")),
        (
            r"'of' is for examples with several 'claims'; .*",
            _("Balances for each firm are for examples of a batch. Give what is used, and perhaps the limit, alone."),
        ),
        (
            r"'(?P<found>.*?)' is not a fact that is a day, such as .*",
            _("“%(found)s” is no date. Use for example service.claim_on."),
        ),
        (r"'(?P<found>.*?)' is not a day; write .*", _("“%(found)s” is no day. Write 2026-12-31, or 12-31 for every year.")),
        (
            r"write both ends as YYYY-MM-DD, or both as MM-DD for every year",
            _("Write both ends as 2026-12-31, or both as 12-31 for every year."),
        ),
        (
            r"a condition needs its words; .*",
            _("A condition needs words that the applicant can read. Write them in Chinese and English."),
        ),
        (r"say what (?P<found>\S+) must be: .*", _("Say what %(found)s must be: choose a comparison.")),
        (
            r"(?P<found>\S+) is (?P<kind>.*), which '(?P<name>.*?)' cannot test; use one of (?P<able>.*)",
            _("%(found)s cannot be tested with %(name)s. Use one of: %(able)s."),
        ),
        (
            r"(?P<found>\S+) is .*; only amounts and numbers can be multiplied",
            _("%(found)s cannot be multiplied: that is for amounts and numbers. Leave the factor out."),
        ),
        (
            r"(?P<found>\S+) is true or false; write it without quotes",
            _("%(found)s is true or false. Write one of the two without quotes."),
        ),
        (
            r"(?P<found>\S+) is a whole number; write it .*",
            _("%(found)s is a whole number. Write it without quotes and without a point."),
        ),
        (r"(?P<found>\S+) is an amount of yuan; .*", _("%(found)s is an amount in yuan. Write for example 500 or “499.99”.")),
        (r"(?P<found>\S+) is a day; write .*", _("%(found)s is a day. Write it as 2026-12-31.")),
        (
            r"(?P<found>\S+) is a rate from 0 to 1; .*",
            _("%(found)s is a share. Write a number from 0 to 1 as text: “0.4” is 40 %%."),
        ),
        (
            r"(?P<found>\S+) is text, a whole number, true or false",
            _("%(found)s is a text, a whole number, true or false. Write one of these."),
        ),
        (r"(?P<found>\S+) is a text; write it in quotes", _("%(found)s is a text. Write it in quotes.")),
        (
            r"'(?P<found>.*?)' is never found there; (?P<fact>\S+) is one of (?P<known>.*)",
            _("“%(found)s” never stands there. %(fact)s is one of: %(known)s."),
        ),
        (
            r"(?P<one>\S+) is (?:an? |true or )(?P<a>.*) and (?P<other>\S+) is (?:an? |true or )(?P<b>.*)",
            _("%(one)s and %(other)s are of different kinds and cannot be compared. Choose another one."),
        ),
        (r"write a list, even of one: .*", _("Write a list here, even of one entry.")),
        (
            r"'months' and 'with_this' \(.*?\) belong together; .*",
            _("The months, and whether this claim counts too, belong together. Fill in both or none."),
        ),
        (r"(?P<found>\S+) cannot be used here; it is not a grade", _("%(found)s cannot be used here: it is no grade.")),
        (
            r"(?P<found>\S+) is a quantity, not an amount; .*",
            _("%(found)s is a quantity and no amount. Enter it as the quantity that is subsidised."),
        ),
        (
            r"(?P<found>\S+) (?:cannot be used here; it )?is not an amount(?: of money)?",
            _("%(found)s cannot be used here: it is no amount of money. Choose one that is."),
        ),
        (
            r"(?P<found>\S+) is not what the tiers count; .*",
            _("%(found)s is not what the tiers count. Choose what came before."),
        ),
        (
            r"'rate_limit' is a share of an amount, and the base is a quantity; .*",
            _("A highest rate is a share of an amount, and here a quantity is subsidised. Say of which amount it is."),
        ),
        (
            r"'uplift' is a share of an amount, and the base is a quantity; .*",
            _("Percentage points are of an amount, and here a quantity is subsidised. Use a factor or an amount more."),
        ),
        (
            r"a rate of type '.*?' needs a base that is an amount; .*",
            _("This kind of rate is a share of an amount. Let an amount be subsidised, or choose another kind of rate."),
        ),
        (
            r"a rate of type '.*?' needs a base that is a quantity; .*",
            _("This kind of rate is an amount for each unit. Let a quantity be subsidised, or choose another kind of rate."),
        ),
        (
            r"a rate of type '.*?' is given once for a claim; .*",
            _("This kind of rate is given once for a claim. Round the claim, not each line."),
        ),
        (
            r"lines are amounts, and the base is a quantity; .*",
            _("Lines are amounts, and here a quantity is subsidised. Round the claim, not each line."),
        ),
        (
            r"it is above 'at_most' \((?P<found>.*?)\); .*",
            _("It lies above the highest rate, %(found)s. Lower it, or raise the other."),
        ),
        (
            r"the rate assumed lies outside the range; .*",
            _("The rate that is assumed lies outside the range. Choose one inside it."),
        ),
        (r"'(?P<found>.*?)' is above 1", _("%(found)s is above 1. A rate is at most 1, which is 100 %%.")),
        (r"the rates of all levels together are above 1 .*", _("All levels together give more than 100 %%. Lower their rates.")),
        (
            r"'by_level' needs a rate of type 'stacked'",
            _("Payers by level need a rate for each level. Choose that kind of rate, or other payers."),
        ),
        (r"a quantity has none; leave it out", _("A quantity has none. Leave it out.")),
        (
            r"'?(?P<found>.*?)'? is not one of machine_hours, .*",
            _("“%(found)s” is no quantity. Choose one of those in the list, or a number of your own (other.…)."),
        ),
        (
            r"write 'included' or 'excluded': whether a minimum charge is subsidised",
            _("Say whether what is only charged to reach a minimum is subsidised."),
        ),
        (
            r"only a pool can be divided over a batch; .*",
            _("Only a pool can be divided over a batch. Leave it out, or count the limit for the whole pool."),
        ),
        (
            r"only a pool has '(?:pool_of|new_money)'; .*",
            _("Only a pool goes on with another version's or is new money. Leave it out, or count the limit for the whole pool."),
        ),
        (
            r"it is either the money of another version or new money; .*",
            _("A pool either goes on with another version's or is new money. Leave one of the two out."),
        ),
        (r"write '(?P<found>.*?)' here, or once for all sides", _("Say this here, or once for all sides: %(found)s.")),
        (
            r"write at least (?P<least>\d+) (?:entry|entries|characters?) here.*",
            _("There is too little here. At least %(least)s is needed."),
        ),
        (
            r"(?:\d+ entries are too many; )?write at most (?P<most>\d+)(?: characters? here.*)?",
            _("There is too much here. At most %(most)s is allowed."),
        ),
        (r"an entry stands here twice; .*", _("The same is named twice. Take one of them out.")),
        (
            r"there is no such field; did you mean '(?P<near>.*?)'\?",
            _("There is no field of this name here. Did you mean %(near)s?"),
        ),
        (
            r"there is no such field; the fields here are (?P<known>.*)",
            _("There is no field of this name here. Take it out, or use one of: %(known)s."),
        ),
        (
            r"'?(?P<found>.*?)'? is not one of (?P<known>.*?)(?:; did you mean '.*?'\?)?",
            _("“%(found)s” is not one of the choices. Choose one of: %(known)s."),
        ),
        (
            r"'?(?P<found>.*?)'? (?:is not|cannot|is out).*Yuan, as text.*",
            _("“%(found)s” is no amount in yuan. Write for example 500 or 499.99."),
        ),
        (
            r"'?(?P<found>.*?)'? (?:is not|cannot|is out).*A day as YYYY-MM-DD.*",
            _("“%(found)s” is no day. Write it as 2026-12-31."),
        ),
        (
            r"'?(?P<found>.*?)'? (?:is not|cannot).*A rate or share from 0 to 1.*",
            _("“%(found)s” is no share. Write a number from 0 to 1: 0.4 is 40 %%."),
        ),
        (
            r"(?P<found>.*?) is not true or false without quotes.*",
            _("%(found)s cannot stand here. Write true or false without quotes."),
        ),
        (
            r"(?P<found>.*?) is not a whole number without quotes.*",
            _("%(found)s cannot stand here. Write a whole number without quotes."),
        ),
        (
            r"(?P<found>.*?) is not (?:text|a whole number|true or false|an object|a list).*",
            _("%(found)s has the wrong form here. docs/programmes.md shows how it is written."),
        ),
        (
            r"(?P<found>.*?) (?:cannot be used here|is out of range)(?:\.|;).*",
            _("%(found)s cannot stand here. docs/programmes.md shows what can."),
        ),
        (
            r"a synthetic programme has evidence grade S, and no other has",
            _("An invented programme has the evidence grade S, and no other has. Change one of the two."),
        ),
    )
)


def fault_words(fault: object) -> str:
    """A fault of a document in the reader's language; one that is not known here stays as the check words it."""
    for pattern, words in _MEANINGS:
        found = pattern.fullmatch(str(fault))
        if found:
            return str(words) % {name: _named(value) for name, value in found.groupdict().items()}
    return str(fault)


def _named(value: str) -> str:
    """Several fields that an English sentence joins ('one', 'two' or 'three'), without its words; anything else as it is."""
    names = _QUOTED.findall(value)
    return str(_(", ")).join(names) if len(names) > 1 else value
