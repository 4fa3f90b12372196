"""schema.org JSON-LD for an instrument's page: what search engines read. A thing that is let to others for hours."""

from __future__ import annotations

import json
from typing import Any

from instruments.rules.standards.public import Named, PublicInstrument

_INSTRUMENT = "http://www.wikidata.org/entity/Q3099911"  # scientific instrument
_LEASE = "http://purl.org/goodrelations/v1#LeaseOut"
#: Characters that could end the script element or the line, written so that JSON reads them back.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def schema_org(one: PublicInstrument) -> dict[str, Any]:
    """The JSON-LD document; what is not known is left out."""
    owner = _filled({"@type": "Organization", "name": one.owner, "alternateName": one.owner_en})
    address = {"@type": "PostalAddress", "addressCountry": "", "addressRegion": one.region, "streetAddress": one.address}
    place: dict[str, Any] = {"@type": "Place", "name": one.site, "address": _filled(address)}
    if one.latitude is not None and one.longitude is not None:
        place["geo"] = {"@type": "GeoCoordinates", "latitude": str(one.latitude), "longitude": str(one.longitude)}
    offer = {
        "@type": "Offer",
        "businessFunction": _LEASE,
        "url": one.url,
        "availability": f"https://schema.org/{'InStock' if one.bookable else 'OutOfStock'}",
        "offeredBy": owner,
        "availableAtOrFrom": place,
    }
    identifier, kind = one.identifier
    return _filled(
        {
            "@context": "https://schema.org",
            "@type": "Product",
            "@id": one.url,
            "additionalType": _INSTRUMENT,
            "url": one.url,
            "name": one.name,
            "alternateName": one.name_en,
            "description": one.about,
            "image": one.photo_url,
            "productID": one.inner_id,
            "identifier": {"@type": "PropertyValue", "propertyID": kind, "value": identifier},
            "sameAs": f"https://doi.org/{identifier}" if kind == "DOI" else "",
            "model": one.model,
            "manufacturer": {"@type": "Organization", "name": one.manufacturer} if one.manufacturer else "",
            "countryOfOrigin": {"@type": "Country", "name": one.nation_code} if one.nation_code else "",
            "category": [named.en or named.zh for named in one.classes],
            "keywords": list(dict.fromkeys([*one.keywords, *(named.en or named.zh for named in one.techniques)])),
            "additionalProperty": [_property("measurementTechnique", named) for named in one.techniques],
            "offers": _filled(offer),
        }
    )


def script_text(document: dict[str, Any]) -> str:
    """The document as the text of a script element: nothing in it can end the element."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def _property(name: str, named: Named) -> dict[str, Any]:
    return {"@type": "PropertyValue", "propertyID": named.code, "name": name, "value": named.en or named.zh}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None, [], {})}
