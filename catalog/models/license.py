"""Licences by SPDX-like id, with the addresses that people and machines expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class License:
    """A licence as CKAN's `license_list` has it; `is_open` as the Open Definition judges."""

    id: str
    title_zh: str
    title_en: str
    url: str
    is_open: bool


LICENSES = {
    license_.id: license_
    for license_ in (
        License(
            "CC0-1.0",
            "知识共享 CC0 1.0（公共领域）",
            "Creative Commons CC0 1.0 (public domain)",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            is_open=True,
        ),
        License(
            "CC-BY-4.0",
            "知识共享 署名 4.0",
            "Creative Commons Attribution 4.0",
            "https://creativecommons.org/licenses/by/4.0/",
            is_open=True,
        ),
        License(
            "ODC-PDDL-1.0",
            "开放数据共用 公共领域奉献 1.0",
            "Open Data Commons Public Domain Dedication 1.0",
            "https://opendatacommons.org/licenses/pddl/1-0/",
            is_open=True,
        ),
        License(
            "MIT", "MIT 许可证", "MIT License", "https://opensource.org/license/mit", is_open=True
        ),
        License(
            "Apache-2.0",
            "Apache 许可证 2.0",
            "Apache License 2.0",
            "https://www.apache.org/licenses/LICENSE-2.0",
            is_open=True,
        ),
        License("WTFPL", "WTFPL 2.0", "WTFPL 2.0", "http://www.wtfpl.net/about/", is_open=True),
        License("other", "其他（见数据集说明）", "Other (see the dataset)", "", is_open=False),
        License("notspecified", "未说明", "Not specified", "", is_open=False),
    )
}
"""Licence id → licence. A text that is none of these is kept in `Dataset.license_text`."""
CKAN_LICENSES = {
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
"""The licences that a CKAN without settings has: what its clients write, kept beside our id where we have no such one."""


def known(license_id: str) -> License | None:
    """The licence of an id of ours or of CKAN."""
    return LICENSES.get(license_id) or CKAN_LICENSES.get(license_id)


def stated(ours: str, extras: Mapping[str, Any]) -> str:
    """The id under which a licence is shown, counted and found: the one that a client gave, or ours."""
    return str(extras.get("license_id") or ours)
