"""OAI-PMH 2.0: the catalogue for harvesters that ask for what changed since their last visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Response, request

from api.feeds.answers import base, bp, portal_of, shared, titles
from api.feeds.dcat import Portal, dataset_node
from api.feeds.oai_request import OAIError, Wanted, checked, wanted
from api.feeds.rdf import rdf_xml
from catalog.models.license import LICENSES
from catalog.models.vocabulary import State
from catalog.permissions import ANYONE
from catalog.schemas.atom import plain, stamp
from catalog.services import catalogue, organizations

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset
    from catalog.models.organization import Organization

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ '
    'http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">\n'
)
DC_SPACES = (
    'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd"'
)
FORMATS = {
    "oai_dc": (
        "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
        "http://www.openarchives.org/OAI/2.0/oai_dc/",
    ),
    "dcat": ("http://www.w3.org/ns/dcat.rdf", "http://www.w3.org/ns/dcat#"),
}
"""Prefix → schema and namespace."""
SET = "organization:"
PART = 100
"""Records of an answer."""


@bp.route("/oai", methods=["GET", "POST"])
def oai() -> Response:
    """The answer to a verb; errors of the protocol are answers too."""
    given = (request.form if request.method == "POST" else request.args).to_dict(flat=False)
    echoed: Mapping[str, str] = {}
    try:
        arguments = checked(given)
        echoed = arguments
        body = "".join(VERBS[arguments["verb"]](arguments))
        body = f"<{arguments['verb']}>\n{body}</{arguments['verb']}>\n"
    except OAIError as error:
        if error.code in {"badVerb", "badArgument"}:
            echoed = {}  # the protocol wants no arguments repeated then
        body = f'<error code="{error.code}">{plain(str(error))}</error>\n'
    asked = "".join(f' {name}="{plain(value)}"' for name, value in echoed.items())
    head = f"{HEAD}<responseDate>{stamp(datetime.now(UTC))}</responseDate>\n<request{asked}>{base()}/oai</request>\n"
    response = Response(f"{head}{body}</OAI-PMH>\n", content_type="text/xml; charset=utf-8")
    return shared(response)


def _identify(arguments: Mapping[str, str]) -> Iterator[str]:  # noqa: ARG001 # all verbs are called alike
    size = catalogue.size(ANYONE)
    yield f"<repositoryName>{plain(titles()['en'])}</repositoryName>\n<baseURL>{base()}/oai</baseURL>\n"
    yield "<protocolVersion>2.0</protocolVersion>\n"
    yield f"<adminEmail>nobody@{plain(_host())}</adminEmail>\n"
    yield f"<earliestDatestamp>{stamp(size.earliest)}</earliestDatestamp>\n"
    yield "<deletedRecord>transient</deletedRecord>\n<granularity>YYYY-MM-DDThh:mm:ssZ</granularity>\n"
    yield (
        '<description><oai-identifier xmlns="http://www.openarchives.org/OAI/2.0/oai-identifier">'
        f"<scheme>oai</scheme><repositoryIdentifier>{_host()}</repositoryIdentifier><delimiter>:</delimiter>"
        f"<sampleIdentifier>oai:{_host()}:00000000-0000-0000-0000-000000000000</sampleIdentifier>"
        "</oai-identifier></description>\n"
    )


def _formats(arguments: Mapping[str, str]) -> Iterator[str]:
    if "identifier" in arguments:
        _record_named(arguments["identifier"])
    for prefix, (schema, namespace) in FORMATS.items():
        yield (
            f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{schema}</schema>"
            f"<metadataNamespace>{namespace}</metadataNamespace></metadataFormat>\n"
        )


def _sets(arguments: Mapping[str, str]) -> Iterator[str]:
    if "resumptionToken" in arguments:
        raise OAIError("badResumptionToken", "The list of sets comes in one part.")
    for one, _ in organizations.all(ANYONE):
        name = one.title.get("en") or next(iter(one.title.values()), one.slug)
        yield f"<set><setSpec>{SET}{one.slug}</setSpec><setName>{plain(name)}</setName></set>\n"


def _get(arguments: Mapping[str, str]) -> Iterator[str]:
    _check_format(arguments["metadataPrefix"])
    dataset = _record_named(arguments["identifier"])
    yield _record(dataset, arguments["metadataPrefix"], portal_of([dataset]))


def _identifiers(arguments: Mapping[str, str]) -> Iterator[str]:
    asked = wanted(arguments)
    found, end = _part(asked)
    organizations = catalogue.above([dataset.organization for dataset in found])
    for dataset in found:
        yield _header(dataset, organizations)
    yield end


def _records(arguments: Mapping[str, str]) -> Iterator[str]:
    asked = wanted(arguments)
    found, end = _part(asked)
    portal = portal_of(found)
    for dataset in found:
        yield _record(dataset, asked.prefix, portal)
    yield end


VERBS: dict[str, Callable[[Mapping[str, str]], Iterator[str]]] = {
    "Identify": _identify,
    "ListMetadataFormats": _formats,
    "ListSets": _sets,
    "GetRecord": _get,
    "ListIdentifiers": _identifiers,
    "ListRecords": _records,
}


def _part(asked: Wanted) -> tuple[list[Dataset], str]:
    """The datasets of this part, and the token for the next one."""
    _check_format(asked.prefix)
    which = catalogue.Which(
        organization=_slug_of(asked.set),
        changed_from=asked.changed_from,
        changed_until=asked.changed_until,
        gone=True,
    )
    found = list(catalogue.page(ANYONE, which, after=asked.after, limit=PART + 1))
    if not found:
        code = "badResumptionToken" if asked.after else "noRecordsMatch"
        raise OAIError(code, "There is nothing of that kind.")
    total = catalogue.count(ANYONE, which) if asked.total < 0 else asked.total
    part, is_more = found[:PART], len(found) > PART
    if not is_more and not asked.after:
        return part, ""
    token = asked.token(part[-1].id, asked.cursor + len(part), total) if is_more else ""
    counts = f'completeListSize="{total}" cursor="{asked.cursor}"'
    return part, f"<resumptionToken {counts}>{token}</resumptionToken>\n"


def _slug_of(set_: str) -> str:
    if not set_:
        return ""
    slug = set_.removeprefix(SET)
    if slug == set_ or not catalogue.organization_ids(slug):
        raise OAIError("noRecordsMatch", "There is no such set.")
    return slug


def _check_format(prefix: str) -> None:
    if prefix not in FORMATS:
        raise OAIError("cannotDisseminateFormat", "There is no such metadataPrefix.")


def _record_named(identifier: str) -> Dataset:
    start = f"oai:{_host()}:"
    id_ = identifier.removeprefix(start)
    found = catalogue.ever_public(ANYONE, id_) if id_ != identifier else None
    if found is None:
        raise OAIError("idDoesNotExist", "There is no record of that identifier.")
    return found


def _record(dataset: Dataset, prefix: str, portal: Portal) -> str:
    header = _header(dataset, portal.organizations)
    if dataset.state == State.WITHDRAWN:
        return f"<record>{header}</record>\n"
    written = _dublin_core(dataset, portal) if prefix == "oai_dc" else _dcat(dataset, portal)
    return f"<record>{header}<metadata>{written}</metadata></record>\n"


def _header(dataset: Dataset, organizations: Mapping[str, Organization]) -> str:
    """The head of a record, with its organization and all that this one belongs to as sets."""
    line = catalogue.line(dataset.organization_id, organizations)
    sets = "".join(f"<setSpec>{SET}{one.slug}</setSpec>" for one in line)
    status = ' status="deleted"' if dataset.state == State.WITHDRAWN else ""
    return (
        f"<header{status}><identifier>oai:{_host()}:{dataset.id}</identifier>"
        f"<datestamp>{stamp(dataset.updated_at)}</datestamp>"
        f"{sets}</header>\n"
    )


def _dcat(dataset: Dataset, portal: Portal) -> str:
    readable = catalogue.is_readable(ANYONE, dataset)
    whole = b"".join(rdf_xml([dataset_node(dataset, portal, readable=readable)])).decode()
    return whole.partition("?>\n")[2]


def _dublin_core(dataset: Dataset, portal: Portal) -> str:
    """The fifteen elements of Dublin Core, as far as they are known."""
    lines = [_tagged("title", dataset.title), _tagged("creator", dataset.organization.title)]
    lines += [_element("subject", tag) for tag in dataset.tags]
    lines += [_tagged("subject", theme.title) for theme in dataset.themes]
    lines += [_tagged("description", dataset.description)]
    lines += [_tagged("publisher", dataset.organization.title)]
    lines += [_element("date", stamp(dataset.modified or dataset.updated_at))]
    lines += [_element("type", "Dataset")]
    formats = dict.fromkeys(one.format for one in dataset.resources if one.format)
    lines += [_element("format", one) for one in formats]
    named = (f"{portal.base}/datasets/{dataset.id}", dataset.identifier)
    lines += [_element("identifier", one) for one in named if one]
    lines += [_element("source", dataset.landing_page)] if dataset.landing_page else []
    lines += [_element("language", tag) for tag in sorted(dataset.title)]
    period = "/".join(one for one in (dataset.temporal_start, dataset.temporal_end) if one)
    lines += [_element("coverage", one) for one in (dataset.spatial, period) if one]
    license_ = (LICENSES.get(dataset.license_id) or LICENSES["other"]).url or dataset.license_text
    lines += [_element("rights", license_)] if license_ else []
    return f"<oai_dc:dc {DC_SPACES}>{''.join(lines)}</oai_dc:dc>"


def _tagged(name: str, texts: Mapping[str, str]) -> str:
    return "".join(
        f'<dc:{name} xml:lang="{tag}">{plain(text)}</dc:{name}>' for tag, text in texts.items()
    )


def _element(name: str, text: str) -> str:
    return f"<dc:{name}>{plain(text)}</dc:{name}>"


def _host() -> str:
    return urlsplit(base()).hostname or "localhost"
