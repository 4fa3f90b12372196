"""DataCite Metadata Schema 4.6 for an instrument, mapped as PIDINST says: the maker creates, the owner hosts and publishes."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from instruments.rules.standards.public import LICENCE_ID, LICENCE_NAME, LICENCE_URL, UNKNOWN, PublicInstrument

NAMESPACE = "http://datacite.org/schema/kernel-4"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_IDENTIFIER_SCHEMES = {"ror": ("ROR", "https://ror.org"), "uscc": ("USCC", ""), "uk-ukprn": ("UKPRN", "")}
_PANET = "http://purl.org/pan-science/PaNET/"


def datacite_xml(one: PublicInstrument) -> Element:
    """The resource. ``publicationYear`` is the year in which it was commissioned, else in which it was listed."""
    root = Element("resource", {"xmlns": NAMESPACE})
    identifier, kind = one.identifier
    _text(root, "identifier", identifier, identifierType=kind)
    creator = SubElement(SubElement(root, "creators"), "creator")
    _text(creator, "creatorName", one.manufacturer or UNKNOWN, nameType="Organizational")
    _titles(root, one)
    _publisher(root, one)
    _text(root, "publicationYear", str((one.commissioned_on or one.created_at).year))
    _text(root, "resourceType", "Instrument", resourceTypeGeneral="Instrument")
    _subjects(root, one)
    _host(root, one)
    _dates(root, one)
    _identifiers(root, one)
    _text(SubElement(root, "rightsList"), "rights", LICENCE_NAME, rightsURI=LICENCE_URL, rightsIdentifier=LICENCE_ID)
    _descriptions(root, one)
    _place(root, one)
    return root


def _text(parent: Element, name: str, text: str, lang: str = "", **attributes: str) -> Element:
    element = SubElement(parent, name, {key: value for key, value in attributes.items() if value})
    if lang:
        element.set(_LANG, lang)
    element.text = text
    return element


def _titles(root: Element, one: PublicInstrument) -> None:
    titles = SubElement(root, "titles")
    _text(titles, "title", one.name, "zh" if _is_chinese(one.name) else "")
    if one.name_en and one.name_en != one.name:
        _text(titles, "title", one.name_en, "en", titleType="TranslatedTitle")


def _publisher(root: Element, one: PublicInstrument) -> None:
    scheme, address = _IDENTIFIER_SCHEMES.get(one.owner_scheme, ("", ""))
    code = {"publisherIdentifier": one.owner_code, "publisherIdentifierScheme": scheme, "schemeURI": address} if scheme else {}
    _text(root, "publisher", one.owner, **code)


def _subjects(root: Element, one: PublicInstrument) -> None:
    subjects = Element("subjects")
    for named in one.classes:
        _text(subjects, "subject", named.zh or named.en, subjectScheme="NRII", classificationCode=named.code)
    for named in one.techniques:
        if named.code.startswith("PaNET"):
            more = {"subjectScheme": "PaNET", "schemeURI": _PANET, "valueURI": _PANET + named.code}
            _text(subjects, "subject", named.en or named.zh, "en" if named.en else "", **more)
        else:
            _text(subjects, "subject", named.en or named.zh)
    for keyword in one.keywords:
        _text(subjects, "subject", keyword)
    if len(subjects):
        root.append(subjects)


def _host(root: Element, one: PublicInstrument) -> None:
    host = SubElement(SubElement(root, "contributors"), "contributor", {"contributorType": "HostingInstitution"})
    _text(host, "contributorName", one.owner, nameType="Organizational")
    scheme, address = _IDENTIFIER_SCHEMES.get(one.owner_scheme, ("", ""))
    if scheme:
        _text(host, "nameIdentifier", one.owner_code, nameIdentifierScheme=scheme, schemeURI=address)


def _dates(root: Element, one: PublicInstrument) -> None:
    dates = SubElement(root, "dates")
    if one.commissioned_on:
        _text(dates, "date", one.commissioned_on.isoformat(), dateType="Available", dateInformation="Commissioned")
    _text(dates, "date", one.updated_at.date().isoformat(), dateType="Updated")


def _identifiers(root: Element, one: PublicInstrument) -> None:
    others = Element("alternateIdentifiers")
    for kind, text in (("InventoryNumber", one.inner_id), ("CSTR", one.cstr), ("URL", one.url if one.doi else "")):
        if text:
            _text(others, "alternateIdentifier", text, alternateIdentifierType=kind)
    if len(others):
        root.append(others)


def _descriptions(root: Element, one: PublicInstrument) -> None:
    descriptions = Element("descriptions")
    if one.about:
        _text(descriptions, "description", one.about, "zh" if _is_chinese(one.about) else "", descriptionType="Abstract")
    if one.description_en and one.description_en != one.about:
        _text(descriptions, "description", one.description_en, "en", descriptionType="Abstract")
    technical = "\n".join(text for text in (one.model, one.technical_indicators) if text)
    if technical:
        _text(descriptions, "description", technical, descriptionType="TechnicalInfo")
    if len(descriptions):
        root.append(descriptions)


def _place(root: Element, one: PublicInstrument) -> None:
    place = " ".join(text for text in (one.region, one.address or one.site) if text)
    if not place and one.latitude is None:
        return
    location = SubElement(SubElement(root, "geoLocations"), "geoLocation")
    if place:
        _text(location, "geoLocationPlace", place)
    if one.latitude is not None and one.longitude is not None:
        point = SubElement(location, "geoLocationPoint")
        _text(point, "pointLongitude", str(one.longitude))
        _text(point, "pointLatitude", str(one.latitude))


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
