"""Licences by CKAN's ids: what its clients write that we know by another id, or not at all."""

from __future__ import annotations

from catalog.models.license import LICENSES, License

_CKAN = {
    license_.id: license_
    for license_ in (
        License("notspecified", "未说明", "License not specified", "", is_open=False),
        License("odc-pddl", "开放数据共用 公共领域奉献（PDDL）", "Open Data Commons Public Domain Dedication and License (PDDL)", "http://www.opendefinition.org/licenses/odc-pddl", is_open=True),
        License("odc-odbl", "开放数据共用 开放数据库许可（ODbL）", "Open Data Commons Open Database License (ODbL)", "http://www.opendefinition.org/licenses/odc-odbl", is_open=True),
        License("odc-by", "开放数据共用 署名", "Open Data Commons Attribution License", "http://www.opendefinition.org/licenses/odc-by", is_open=True),
        License("cc-zero", "知识共享 CCZero", "Creative Commons CCZero", "http://www.opendefinition.org/licenses/cc-zero", is_open=True),
        License("cc-by", "知识共享 署名", "Creative Commons Attribution", "http://www.opendefinition.org/licenses/cc-by", is_open=True),
        License("cc-by-sa", "知识共享 署名—相同方式共享", "Creative Commons Attribution Share-Alike", "http://www.opendefinition.org/licenses/cc-by-sa", is_open=True),
        License("gfdl", "GNU 自由文档许可证", "GNU Free Documentation License", "http://www.opendefinition.org/licenses/gfdl", is_open=True),
        License("other-open", "其他（开放）", "Other (Open)", "", is_open=True),
        License("other-pd", "其他（公共领域）", "Other (Public Domain)", "", is_open=True),
        License("other-at", "其他（署名）", "Other (Attribution)", "", is_open=True),
        License("uk-ogl", "英国开放政府许可（OGL）", "UK Open Government Licence (OGL)", "http://reference.data.gov.uk/id/open-government-licence", is_open=True),
        License("cc-nc", "知识共享 非商业性（任何版本）", "Creative Commons Non-Commercial (Any)", "http://creativecommons.org/licenses/by-nc/2.0/", is_open=False),
        License("other-nc", "其他（非商业性）", "Other (Non-Commercial)", "", is_open=False),
        License("other-closed", "其他（不开放）", "Other (Not Open)", "", is_open=False),
    )
}  # fmt: skip
"""The licences that a CKAN without settings has."""
_BY_LOWER = {id_.lower(): id_ for id_ in LICENSES}


def everything() -> list[License]:
    """Ours, and those of CKAN that we have under no id."""
    return [*LICENSES.values(), *(one for id_, one in _CKAN.items() if id_ not in LICENSES)]


def ours(license_id: str) -> str:
    """Our id of the licence, in any case; empty for one that we do not have."""
    return _BY_LOWER.get(license_id.lower(), "")


def known(license_id: str) -> License | None:
    """The licence of an id of ours or of CKAN."""
    return LICENSES.get(license_id) or _CKAN.get(license_id)
