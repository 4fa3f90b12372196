"""Subsidies: programmes as documents, one evaluation, one assessment of a session, frozen and replayed as JSON."""

from billing.ledger.rules.documents import DocumentError, Fault
from billing.subsidy.rules.assess import ENGINE_VERSION, Assessment, Candidate, assess_samples, assess_session
from billing.subsidy.rules.codec import (
    Difference,
    Inputs,
    assessment_from_json,
    assessment_to_json,
    differences,
    inputs_from_json,
    inputs_sha256,
    inputs_to_json,
    replay,
)
from billing.subsidy.rules.engines import OtherEngine
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.examples import ExampleResult, check_examples
from billing.subsidy.rules.facts import Amounts, Facts, Party, Quantities, Service, facts_document, parse_facts
from billing.subsidy.rules.message_keys import MESSAGES
from billing.subsidy.rules.outcome import (
    Award,
    Balance,
    Outcome,
    Payee,
    PayerLine,
    Refused,
    SettlementMode,
    Unmet,
)
from billing.subsidy.rules.parts.caps import Cap, CapPer
from billing.subsidy.rules.programme import Clause, Programme, parse_programme, read_programme

__all__ = [
    "ENGINE_VERSION",
    "MESSAGES",
    "Amounts",
    "Assessment",
    "Award",
    "Balance",
    "Candidate",
    "Cap",
    "CapPer",
    "Clause",
    "Difference",
    "DocumentError",
    "ExampleResult",
    "Facts",
    "Fault",
    "Inputs",
    "OtherEngine",
    "Outcome",
    "Party",
    "Payee",
    "PayerLine",
    "Programme",
    "Quantities",
    "Refused",
    "Service",
    "SettlementMode",
    "Unmet",
    "assess_samples",
    "assess_session",
    "assessment_from_json",
    "assessment_to_json",
    "check_examples",
    "differences",
    "evaluate",
    "facts_document",
    "inputs_from_json",
    "inputs_sha256",
    "inputs_to_json",
    "parse_facts",
    "parse_programme",
    "read_programme",
    "replay",
]
