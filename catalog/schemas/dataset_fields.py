"""The fields of a dataset as people fill them in: one list for the form and for the Excel template.

Labels stand here in both languages, since a template shows both at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.models.license import LICENSES

Content = dict[str, Any]
"""A dataset as `schemas/dataset.py: dataset_draft` reads it."""
Choice = tuple[str, str, str]
"""A value, what it is called in Chinese and in English."""


@dataclass(frozen=True)
class Words:
    """The same words in both languages."""

    zh: str
    en: str

    def in_(self, language: str) -> str:
        """The words in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Field:
    """A field: its name in forms, its label, and where its value stands in the content.

    `kind` is `line`, `area`, `lines` (a list, one on a line), `choice`, `number`, `box`, `day`, `json` or `flag`.
    """

    name: str
    label: Words
    path: tuple[str, ...]
    kind: str = "line"
    hint: Words = Words("", "")
    choices: tuple[Choice, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Section:
    """Fields that belong together."""

    name: str
    label: Words
    fields: tuple[Field, ...]


ACCESS: tuple[Choice, ...] = (
    ("open", "无条件开放", "Open"),
    ("on_application", "有条件开放（依申请）", "On application"),
    ("closed", "不予开放", "Closed"),
)
FREQUENCIES: tuple[Choice, ...] = (
    ("unknown", "未说明", "Not stated"),
    ("continuous", "实时", "Continuously"),
    ("daily", "每日", "Daily"),
    ("weekly", "每周", "Weekly"),
    ("monthly", "每月", "Monthly"),
    ("quarterly", "每季度", "Quarterly"),
    ("annual", "每年", "Every year"),
    ("irregular", "不定期", "Irregularly"),
    ("never", "不更新", "Never"),
)
SHARING: tuple[Choice, ...] = (
    ("", "未说明", "Not stated"),
    ("unconditional", "无条件共享", "Unconditional"),
    ("conditional", "有条件共享", "Conditional"),
    ("not_shared", "不予共享", "Not shared"),
)
LICENCES: tuple[Choice, ...] = tuple(
    (one.id, one.title_zh, one.title_en) for one in LICENSES.values()
)


def _pair(
    name: str,
    zh: str,
    en: str,
    kind: str = "line",
    *,
    path: tuple[str, ...] = (),
    required: bool = False,
) -> tuple[Field, ...]:
    """A text in Chinese and in English; where it is required, one of the two is."""
    return tuple(
        Field(
            f"{name}_{tag}",
            Words(f"{zh}（{of_zh}）", f"{en} in {of_en}"),
            (*(path or (name,)), tag),
            kind,
            required=required,
        )
        for tag, of_zh, of_en in (("zh", "中文", "Chinese"), ("en", "英文", "English"))
    )


def _line(
    name: str, zh: str, en: str, *path: str, kind: str = "line", hint: tuple[str, str] = ("", "")
) -> Field:
    return Field(name, Words(zh, en), path or (name,), kind, Words(*hint))


def _choice(name: str, zh: str, en: str, choices: tuple[Choice, ...], *path: str) -> Field:
    return Field(name, Words(zh, en), path or (name,), "choice", choices=choices)


LINES = ("每行一个", "One on a line")
DAY = ("例如 2024、2024-05 或 2024-05-31", "Such as 2024, 2024-05 or 2024-05-31")

SECTIONS = (
    Section(
        "about",
        Words("数据集是什么", "What it is"),
        (
            *_pair("title", "标题", "Title", required=True),
            *_pair("description", "说明", "Description", "area", required=True),
            *_pair("notice", "提醒", "Warning above the data", "area"),
            _line("identifier", "信息资源代码", "Identifier"),
            _line(
                "slug", "网址名称", "Name in addresses",
                hint=("留空则由标题生成；发布后请用“改名”修改", "Left empty, it is made from the title; once public, it is changed by renaming"),
            ),
        ),
    ),
    Section(
        "belongs",
        Words("归属与分类", "Where it belongs"),
        (
            Field("organization", Words("提供部门", "Department"), ("organization",), "choice", required=True),
            _line("themes", "主题", "Themes", kind="lines", hint=("主题的网址名称，每行一个；表格中也可写主题名", "Names in addresses, one on a line; in a workbook also the titles")),
            _line("tags", "标签", "Tags", kind="lines", hint=LINES),
            _choice("series", "数据集系列", "Series", ()),
            _line("series_position", "系列中的次序", "Place in the series", kind="number"),
            _line("resource_class", "信息资源分类", "Class of the resource", "details", "resource_class"),
        ),
    ),
    Section(
        "coverage",
        Words("范围与更新", "Coverage and updates"),
        (
            _choice("frequency", "更新周期", "Update frequency", FREQUENCIES),
            _line("issued", "发布日期", "First published", kind="day", hint=("例如 2024-05-31；留空则为首次发布之日", "Such as 2024-05-31; left empty, the day on which it is first public")),
            _line("modified", "数据更新日期", "Data last updated", kind="day", hint=("例如 2024-05-31；留空则为本次发布之时", "Such as 2024-05-31; left empty, the moment of this publication")),
            _line("temporal_start", "时间范围起", "Period from", hint=DAY),
            _line("temporal_end", "时间范围止", "Period to", hint=DAY),
            _line("spatial", "区域名称", "Area covered"),
            _line("spatial_code", "行政区划代码", "Division code", hint=("2、4、6、9 或 12 位数字", "2, 4, 6, 9 or 12 digits")),
            _line(
                "spatial_box", "外接矩形", "Box", kind="box",
                hint=("西、南、东、北，WGS-84 度，以逗号分隔", "West, south, east, north in degrees of WGS-84, separated by commas"),
            ),
            _line(
                "spatial_geometry", "空间范围（GeoJSON）", "Geometry (GeoJSON)", kind="json",
                hint=('例如 {"type": "Point", "coordinates": [114.06, 22.54]}', 'Such as {"type": "Point", "coordinates": [114.06, 22.54]}'),
            ),
            _line("languages", "数据语言", "Languages of the data", "details", "languages", kind="lines", hint=("如 zh、en，每行一个", "Such as zh or en, one on a line")),
        ),
    ),
    Section(
        "access",
        Words("开放与许可", "Access and licence"),
        (
            _choice("access", "开放类型", "Access", ACCESS),
            *_pair("access_reason", "不开放的法律依据", "Legal reason why it is not open", "area"),
            *_pair("open_condition", "开放条件", "Conditions for opening", "area", path=("details", "open_condition")),
            _choice("license", "许可", "Licence", LICENCES),
            _line("license_text", "其他许可说明", "Words of another licence"),
            Field("private", Words("仅本部门可见", "Only for members of the department"), ("private",), "flag"),
        ),
    ),
    Section(
        "contact",
        Words("联系方式与来源", "Contact and source"),
        (
            _line("contact", "联系方式", "Contact", hint=("电子邮件、电话或网址", "An e-mail address, a telephone number or an address of the web")),
            _line("contact_name", "联系人", "Contact person or office", "details", "contact_point", "name"),
            _line("contact_phone", "联系电话", "Telephone", "details", "contact_point", "phone"),
            _line("landing_page", "来源网页", "Page of the source"),
            _line("documentation", "文档网址", "Addresses of documentation", "details", "documentation", kind="lines", hint=LINES),
            *_pair("provenance", "数据来历", "How the data came about", "area", path=("details", "provenance")),
        ),
    ),
    Section(
        "sharing",
        Words("政务共享", "Sharing between departments"),
        (
            _choice("share_type", "共享类型", "Type of sharing", SHARING, "details", "share_type"),
            *_pair("share_condition", "共享条件", "Condition of sharing", path=("details", "share_condition")),
            *_pair("share_mode", "共享方式", "Way of sharing", path=("details", "share_mode")),
            _line("provider_code", "提供方代码", "Code of the provider", "details", "provider_code"),
            _line("resource_format", "信息资源格式", "Format of the resource", "details", "resource_format"),
            _line("linked_code", "关联资源代码", "Code of a related resource", "details", "linked_code"),
        ),
    ),
)  # fmt: skip
FIELDS = tuple(field for section in SECTIONS for field in section.fields)

RESOURCE_FIELDS = (
    *_pair("title", "资源名称", "Name of the file"),
    _line("url", "链接", "Link", hint=("以 https:// 开头", "Starts with https://")),
    _line("format", "格式", "Format", hint=("如 CSV、XLSX、API", "Such as CSV, XLSX or API")),
    *_pair("description", "资源说明", "About the file"),
)
"""Fields of a resource; its key says which one it is."""
TRANSLATED = ("title", "description", "notice", "access_reason")
YES_NO: tuple[Choice, ...] = (("true", "是", "Yes"), ("false", "否", "No"))
NEEDED = Words("必填", "Required")
OF_CUSTOM = {
    "number": Words("填数字", "A number"),
    "date": Words("例如 2024-05-31", "Such as 2024-05-31"),
}
"""Hints for custom fields by what they hold."""


def custom_field(one: Mapping[str, Any]) -> Field:
    """The field that an organization has defined itself (schemas/custom_fields.py)."""
    name, kind = str(one["name"]), one["type"]
    hints = [OF_CUSTOM[kind]] if kind in OF_CUSTOM else []
    if one.get("required"):
        hints.insert(0, NEEDED)
    choices = tuple(
        (c["value"], *_called(c.get("label"), c["value"])) for c in one.get("choices", ())
    )
    if kind == "boolean":
        choices = YES_NO
    return Field(
        f"custom_{name}",
        Words(*_called(one.get("label"), name)),
        ("custom", name),
        "choice" if choices else "line",
        Words("；".join(hint.zh for hint in hints), "; ".join(hint.en for hint in hints)),
        (("", "–", "–"), *choices) if choices else (),
    )


def _called(label: Mapping[str, str] | None, name: str) -> tuple[str, str]:
    """A label in Chinese and in English, each standing in for the other."""
    zh, en = (label or {}).get("zh", ""), (label or {}).get("en", "")
    return zh or en or name, en or zh or name


def values_of(content: Mapping[str, Any], fields: Sequence[Field] = FIELDS) -> dict[str, str]:
    """Name of a field → its text in a form."""
    return {field.name: _text(field, _get(content, field.path)) for field in fields}


def content_after(
    content: Mapping[str, Any], given: Mapping[str, str], fields: Sequence[Field] = FIELDS
) -> Content:
    """The content with what was filled in; fields that are not given stay as they are."""
    after = _copied(content)
    for field in fields:
        if field.name in given and not _as_before(field, content, given[field.name]):
            _set(after, field.path, _value(field, given[field.name]))
    if after.get("machine"):
        after["machine"] = {
            name: [tag for tag in tags if _get(content, (name, tag)) == _get(after, (name, tag))]
            for name, tags in after["machine"].items()
        }  # what a person has changed is no machine's text any more
    return after


def field_of(path: Sequence[str | int]) -> str:
    """The name of the field that a problem at this path is about; of a resource with its number."""
    parts = tuple(str(part) for part in path)
    if parts[:1] == ("resources",) and len(parts) >= 3:
        return f"resource_{parts[1]}_{_named(parts[2:], RESOURCE_FIELDS) or 'url'}"
    if parts[:1] == ("custom",) and len(parts) >= 2:
        return f"custom_{parts[1]}"
    return _named(parts, FIELDS)


def problems_at(problems: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every sentence of nested problems with the path of what it is about."""
    for name, inner in problems.items():
        here = () if name == "_schema" else (str(name),)
        if isinstance(inner, Mapping):
            for path, sentence in problems_at(inner):
                yield (*here, *path), sentence
        elif isinstance(inner, list | tuple):
            for sentence in inner:
                yield here, str(sentence)
        else:
            yield here, str(inner)


def _as_before(field: Field, content: Mapping[str, Any], text: str) -> bool:
    """Whether a day is still the one that was shown, whose clock the form does not show."""
    return field.kind == "day" and text.strip() == _text(field, _get(content, field.path))


def _named(parts: tuple[str, ...], fields: Sequence[Field]) -> str:
    """A field at that path, or else one above or below it."""
    near = [f for f in fields if f.path[: len(parts)] == parts or parts[: len(f.path)] == f.path]
    return near[0].name if near else ""


def _copied(content: Mapping[str, Any]) -> Content:
    """The same mappings anew, so that nothing is changed in what was given."""
    return {
        name: _copied(value) if isinstance(value, Mapping) else value
        for name, value in content.items()
    }


def _get(content: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = content
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _set(content: Content, path: tuple[str, ...], value: Any) -> None:
    """Put the value at its place; nothing leaves nothing behind."""
    *above, last = path
    steps = [content]
    for part in above:
        steps.append(steps[-1].setdefault(part, {}))
    if value in ("", [], None):
        steps[-1].pop(last, None)
    else:
        steps[-1][last] = value
    for at in range(len(above), 1, -1):  # an object inside another one goes when it is empty
        if not steps[at]:
            del steps[at - 1][above[at - 1]]


def _text(field: Field, value: Any) -> str:
    if isinstance(value, bool) and field.kind == "choice":
        return "true" if value else "false"
    if value is None or value is False:
        return ""
    return _WRITTEN.get(field.kind, str)(value)


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "lines": lambda parts: "\n".join(map(str, parts)),
    "box": lambda edges: ", ".join(map(str, edges)),
    "flag": lambda _: "1",
    "number": lambda number: str(number or ""),
    "day": lambda moment: str(moment)[: len("2024-05-31")],
    "json": lambda said: said if isinstance(said, str) else _packed(said),
}
"""How the values of a kind are written into a form; those of the others are texts."""


def _packed(said: Any) -> str:
    return orjson.dumps(said).decode() if said else ""


def _value(field: Field, text: str) -> Any:
    given = text.replace("\r\n", "\n").strip()
    if field.kind == "lines":
        parts = given.replace("；", "\n").replace(";", "\n").split("\n")
        return [part.strip() for part in parts if part.strip()]
    if field.kind == "box":
        return [part.strip() for part in given.replace("，", ",").split(",")] if given else []
    if field.kind == "flag":
        return given != ""
    if field.kind == "json":
        return _object(given)
    if field.kind == "number":
        return int(given) if given.isdecimal() and len(given) < 10 else given
    return given


def _object(text: str) -> Any:
    """What the JSON says; a text that is none stays, for the schema to refuse."""
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return text
