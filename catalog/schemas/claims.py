"""What an OpenID provider says of a person, and what the operator declares that it makes of them here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import SettingsError
from catalog.models.vocabulary import MemberRole, Role
from catalog.schemas.account import EMAIL, INVISIBLE, normalized_email

RANK = {MemberRole.MEMBER: 0, MemberRole.EDITOR: 1, MemberRole.PUBLISHER: 2}
MOST_CLAIM_BYTES = 1_000_000


@dataclass(frozen=True)
class Person:
    """Somebody for whom a provider vouches."""

    issuer: str
    subject: str
    email: str
    email_verified: bool | None
    """None where the provider does not say."""
    name: str
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, issuer: str, claims: Mapping[str, Any]) -> Person:
        """The person that these claims are about; an address that is none is left out."""
        email = normalized_email(str(claims.get("email") or ""))
        given = claims.get("name") or claims.get("preferred_username") or email.partition("@")[0]
        verified = claims.get("email_verified")
        return cls(
            issuer,
            str(claims["sub"]),
            email if len(email) <= 254 and EMAIL.fullmatch(email) else "",
            None if verified is None else verified in (True, "true"),
            " ".join(INVISIBLE.sub(" ", str(given)).split())[:100] or "–",
            dict(claims),
        )


@dataclass(frozen=True)
class Standing:
    """What claims make of a person."""

    administrator: bool
    organizations: Mapping[str, MemberRole]
    """Slug → role."""


@dataclass(frozen=True)
class Rule:
    """A person whose claim has this value is this."""

    claim: str
    value: str
    administrator: bool = False
    organization: str = ""
    role: MemberRole = MemberRole.MEMBER


@dataclass(frozen=True)
class ClaimRules:
    """All that claims decide; what they do not speak of is left to the people of the portal."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, text: str) -> ClaimRules:
        """The rules of a JSON text, or of the file that it names; raises SettingsError."""
        if not text.strip():
            return cls()
        try:
            written = text if text.lstrip().startswith("{") else Path(text).read_text()
            declared = orjson.loads(written)
            return cls(tuple(_rules(declared)))
        except (OSError, UnicodeError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise SettingsError(
                "WEFT_OIDC_CLAIMS cannot be used: %(reason)s", reason=str(error)[:300]
            ) from error

    @property
    def decide_administrator(self) -> bool:
        """Whether claims say who administers the portal."""
        return any(rule.administrator for rule in self.rules)

    @property
    def organizations(self) -> frozenset[str]:
        """Slugs of the organizations whose members claims decide."""
        return frozenset(rule.organization for rule in self.rules if rule.organization)

    def standing(self, claims: Mapping[str, Any]) -> Standing:
        """What these claims make of a person; of several roles in an organization the highest."""
        met = [rule for rule in self.rules if rule.value in _values(claims, rule.claim)]
        roles: dict[str, MemberRole] = {}
        for rule in sorted(met, key=lambda rule: RANK[rule.role]):
            if rule.organization:
                roles[rule.organization] = rule.role
        return Standing(any(rule.administrator for rule in met), roles)


def _rules(declared: Mapping[str, Any]) -> Iterator[Rule]:
    for claim, values in declared.items():
        for value, meant in values.items():
            for one in meant if isinstance(meant, list) else [meant]:
                yield _rule(claim, value, one)


def _rule(claim: str, value: str, meant: Mapping[str, Any]) -> Rule:
    unknown = set(meant) - {"organization", "role"}
    if unknown:
        raise ValueError(f"{value}: unknown {', '.join(sorted(unknown))}")
    if "organization" in meant:
        return Rule(
            claim, value, organization=str(meant["organization"]), role=MemberRole(meant["role"])
        )
    if Role(meant["role"]) is not Role.ADMINISTRATOR:
        raise ValueError(f"{value}: without an organization the role is administrator")
    return Rule(claim, value, administrator=True)


def _values(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The values of a claim; a dot leads into an object, unless a claim has the whole name."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return frozenset(str(value) for value in listed if isinstance(value, str | int))
