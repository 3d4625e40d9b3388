"""The harvest formats by kind."""

from __future__ import annotations

from catalog.errors import Invalid
from harvesters.formats.ckan import CKAN
from harvesters.formats.csw import CSW
from harvesters.formats.datajson import DataJSON
from harvesters.formats.datapackage import DataPackage
from harvesters.formats.dcat import DCAT
from harvesters.formats.excel import Excel
from harvesters.formats.files import FilesFolder
from harvesters.formats.iso import ISO
from harvesters.formats.jkan import JKAN
from harvesters.formats.oaipmh import OAIPMH
from harvesters.formats.opendatasoft import Opendatasoft
from harvesters.formats.push import Push
from harvesters.formats.rest import Rest
from harvesters.formats.socrata import Socrata
from harvesters.formats.sql import SQL
from harvesters.formats.udata import Udata
from harvesters.formats.weft import Weft
from harvesters.formats.yaml_folder import YAMLFolder
from harvesters.harvester import Harvester

FORMATS: dict[str, Harvester] = {
    harvester.kind: harvester
    for harvester in (
        SQL(),
        FilesFolder(),
        Rest(),
        Excel(),
        Push(),
        DCAT(),
        DataPackage(),
        JKAN(),
        DataJSON(),
        CSW(),
        ISO(),
        OAIPMH(),
        CKAN(),
        Socrata(),
        YAMLFolder(),
        Opendatasoft(),
        Udata(),
        Weft(),
    )
}
"""Kind → format, in the order in which forms offer them."""


def harvester_of(kind: str) -> Harvester:
    """The format of this kind; raises Invalid for an unknown one."""
    if kind not in FORMATS:
        raise Invalid("there is no harvest format %(kind)s", kind=kind)
    return FORMATS[kind]
