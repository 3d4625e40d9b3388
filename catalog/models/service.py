"""Data services: interfaces as items of the catalogue, and whether they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.vocabulary import Access, State

service_dataset = Table(
    "data_service_dataset",
    Base.metadata,
    Column("service_id", ForeignKey("data_service.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "dataset_id", ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)
"""The datasets that a service serves (dcat:servesDataset)."""


class DataService(Base):
    """An interface (dcat:DataService): where it is, how it is asked, what it allows."""

    __tablename__ = "data_service"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    text_origins: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[list[str]] = mapped_column(default=list)
    endpoint_url: Mapped[str] = mapped_column(String(2000))
    endpoint_description: Mapped[str] = mapped_column(String(2000), default="")
    """Address of a description for machines: OpenAPI, WSDL, GetCapabilities."""
    documentation: Mapped[str] = mapped_column(String(2000), default="")
    protocol: Mapped[str] = mapped_column(String(40), default="REST")
    """REST, WMS, WFS, WMTS, OGC API, SOAP, CKAN, OAI-PMH …"""
    parameters: Mapped[list[Any]] = mapped_column(default=list)
    """`[{"name", "type", "required", "description": texts, "example"}…]`."""
    limits: Mapped[Texts] = mapped_column(default=dict)
    """What a caller may ask for, in words: calls a minute, rows a call, keys."""
    conforms_to: Mapped[list[str]] = mapped_column(default=list)
    license_id: Mapped[str] = mapped_column(String(40), default="notspecified")
    access: Mapped[Access] = mapped_column(String(20), default=Access.OPEN)
    access_reason: Mapped[Texts] = mapped_column(default=dict)
    contact: Mapped[dict[str, Any]] = mapped_column(default=dict)
    check_url: Mapped[str] = mapped_column(String(2000), default="")
    """Address that is asked to see whether it answers; empty means `endpoint_url`."""
    checked_at: Mapped[datetime | None]
    state: Mapped[State] = mapped_column(String(20), default=State.PUBLISHED)
    withdrawn_reason: Mapped[Texts] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    index_due: Mapped[datetime | None] = mapped_column(default=now, index=True)

    organization: Mapped[Organization] = relationship(lazy="raise")
    datasets: Mapped[list[Dataset]] = relationship(secondary=service_dataset, lazy="raise")


class ServiceCheck(Base):
    """One look at whether a service answers."""

    __tablename__ = "service_check"
    __table_args__ = (Index("ix_service_check_service_at", "service_id", "at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("data_service.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)
    ok: Mapped[bool]
    status: Mapped[int] = mapped_column(Integer, default=0)
    """HTTP status; 0 where nothing answered."""
    milliseconds: Mapped[int] = mapped_column(Integer, default=0)
    problem: Mapped[str] = mapped_column(String(300), default="")
