"""Licences by SPDX-like id, with the addresses that people and machines expect."""

from __future__ import annotations

from dataclasses import dataclass


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
