"""Further elements of a dataset: those of DCAT-AP 3 and of the government catalogue that are seldom filled.

Each is optional. docs/reference/metadata.md maps all of them to DCAT-AP 3, DCAT-US 1.1, schema.org and
GB/T 21063.3.
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from catalog.models.vocabulary import ShareType
from catalog.schemas.texts import LanguageCode, Line, Texts, WebAddress

MOST = 100


def _addresses() -> fields.List[str]:
    return fields.List(WebAddress(2000), validate=validate.Length(max=MOST))


class ContactSchema(Schema):
    """A contact point (dcat:contactPoint, vcard:Kind): 提供方联系方式."""

    name = Line(200)
    email = Line(254)
    phone = Line(60)
    url = WebAddress(2000)
    address = Line(500)


class AgentSchema(Schema):
    """A person or body (foaf:Agent)."""

    name = Line(300, required=True)
    url = WebAddress(2000)
    email = Line(254)
    type = Line(300)


class DetailsSchema(Schema):
    """`Dataset.details`: every key is optional, unknown ones are errors."""

    version = Line(100)
    """dcat:version"""
    version_notes = Texts(20_000)
    """adms:versionNotes"""
    languages = fields.List(LanguageCode(35), validate=validate.Length(max=MOST))
    """dct:language, as BCP 47 tags."""
    conforms_to = _addresses()
    """dct:conformsTo"""
    documentation = _addresses()
    """foaf:page"""
    provenance = Texts(20_000)
    """dct:provenance: how the data came about."""
    rights = Texts(20_000)
    """dct:rights beside the licence."""
    contact_point = fields.Nested(ContactSchema)
    creator = fields.Nested(AgentSchema)
    """dct:creator"""
    publisher = fields.Nested(AgentSchema)
    """dct:publisher, where it is another body than the organization."""
    related = _addresses()
    """dct:relation"""
    sources = _addresses()
    """dct:source"""
    has_version = _addresses()
    is_version_of = _addresses()
    is_referenced_by = _addresses()
    sample = _addresses()
    """adms:sample"""
    type = WebAddress(2000)
    """dct:type"""
    applicable_legislation = _addresses()
    """dcatap:applicableLegislation"""
    hvd_category = _addresses()
    """dcatap:hvdCategory"""
    spatial_resolution = fields.Float(validate=validate.Range(0, 1e8), allow_none=True)
    """dcat:spatialResolutionInMeters"""
    temporal_resolution = Line(40)
    """dcat:temporalResolution, as an ISO 8601 duration."""
    created = Line(10)
    """dct:created: a year, a month or a day."""
    was_generated_by = Texts(2000)
    """prov:wasGeneratedBy"""
    share_type = fields.Enum(ShareType, by_value=True)
    """共享类型"""
    share_condition = Texts(2000)
    """共享条件"""
    share_mode = Texts(500)
    """共享方式: 共享平台, 邮件, 拷盘 …"""
    open_condition = Texts(2000)
    """开放条件: what applies to those who may have it on application."""
    resource_class = Line(200)
    """信息资源分类: its place in the classification (GB/T 21063.4)."""
    provider_code = Line(40)
    """提供方代码"""
    resource_format = Line(200)
    """信息资源格式, as the catalogue of the department says it."""
    linked_code = Line(200)
    """关联资源代码"""


class HarvestedDetailsSchema(DetailsSchema):
    """The same of a source, which may call languages what it likes."""

    languages = fields.List(Line(35), validate=validate.Length(max=MOST))
