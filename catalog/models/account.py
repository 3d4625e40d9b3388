"""Accounts, their memberships and their API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, new_id, now
from catalog.models.follow import Collaborator
from catalog.models.group import GroupMembership
from catalog.models.vocabulary import MemberRole, Role


class Account(Base):
    """A person who signs in; the password is an argon2id hash."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Lower case."""
    slug: Mapped[str | None] = mapped_column(String(100), unique=True)
    """Name in addresses and in CKAN's API; accounts of before have none until they are asked for."""
    name: Mapped[str] = mapped_column(String(100))
    about: Mapped[str] = mapped_column(String(2000), default="", server_default="")
    image_url: Mapped[str] = mapped_column(String(2000), default="", server_default="")
    password_hash: Mapped[str] = mapped_column(String(200))
    """Empty for an account that signs in at a provider only."""
    issuer: Mapped[str | None] = mapped_column(String(500))
    """OpenID provider that vouches for it, with its name for the person there."""
    subject: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(String(20), default=Role.ACCOUNT)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    session_token: Mapped[str] = mapped_column(String(36), default=new_id)
    """Changes with the password, so that sessions opened before it end."""
    active: Mapped[bool] = mapped_column(default=True)
    extras: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What CKAN's clients say of it beyond our own fields."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_signed_in: Mapped[datetime | None]

    memberships: Mapped[list[Membership]] = relationship(
        lazy="selectin", cascade="all, delete-orphan"
    )
    theme_memberships: Mapped[list[GroupMembership]] = relationship(
        lazy="selectin", cascade="all, delete-orphan"
    )
    collaborations: Mapped[list[Collaborator]] = relationship(
        lazy="selectin", cascade="all, delete-orphan"
    )


class AccountSession(Base):
    """A sign-in; the cookie names it, so that a copy of the cookie ends when this row goes."""

    __tablename__ = "account_session"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class Membership(Base):
    """What an account is inside an organization."""

    __tablename__ = "membership"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[MemberRole] = mapped_column(String(20))


class AccountToken(Base):
    """A secret that was sent by mail, kept as its SHA-256: it works once, for a while."""

    __tablename__ = "account_token"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    """`reset` (another password), `welcome` (the first one of an account that was made for somebody) or `invitation`."""
    email: Mapped[str] = mapped_column(String(254), index=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    """Whose password is reset."""
    organization_id: Mapped[str | None] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE")
    )
    """Where somebody is invited to."""
    role: Mapped[MemberRole | None] = mapped_column(String(20))
    inviter: Mapped[str] = mapped_column(String(100), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class ApiKey(Base):
    """A key for the API: shown once, kept as a SHA-256 of its 256 random bits."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))
    """First characters, shown so that a person can tell keys apart."""
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    plan: Mapped[str] = mapped_column(String(20), default="basic")
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
