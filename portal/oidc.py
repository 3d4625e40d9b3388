"""Signing in at an OpenID provider: authorization code with PKCE (S256), state and nonce, over guarded requests.

What belongs to one sign-in is kept in the session until the provider sends the reader back, and works once.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import orjson
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from flask import Flask, current_app, session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jws import JWSRegistry

from catalog.errors import N_, CatalogError, Unavailable, Unreadable
from catalog.schemas.claims import ClaimRules, Person
from catalog.settings import Settings
from harvesters.http import Http, Limits

log = structlog.get_logger(__name__)

PENDING = "oidc"
"""Where the session keeps what belongs to a sign-in that has begun."""
PENDING_SECONDS = 900
ID_TOKEN = "oidc_id_token"  # noqa: S105 # where the session keeps it, for signing out
LONGEST_KEPT = 2_000
"""Characters of an ID token that still fit into a cookie with all else."""
LEEWAY = 60
"""Seconds that the clocks of provider and portal may differ."""
FRESH_SECONDS = 3600.0
"""How long the provider's description of itself is taken for true."""
AWAY_SECONDS = 5.0
"""How long a provider that did not answer is not asked again."""
KEYS_PAUSE = 30.0
"""Between two fetches of the provider's keys for unknown ones: tokens of strangers must not cost it work."""
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""Signatures by a key that only the provider has; never `none`, never one by a shared secret."""
AWAY = N_("the provider cannot be reached right now; try again later, or sign in with a password")
BROKEN = N_("the sign-in was broken off or is too old; begin it again")
REFUSED = N_("the provider did not let you in")
UNTRUE = N_("the provider's answer could not be verified; nobody was signed in")


@dataclass(frozen=True)
class Signed:
    """Who signed in, and where they wanted to go."""

    person: Person
    next: str
    id_token: str = field(repr=False)


@dataclass
class _Answer:
    """An answer in the form that Authlib reads."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        return orjson.loads(self.content)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise Unavailable(AWAY, status=self.status_code)


class Provider:
    """The provider that the settings name; what it says of itself is asked for when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        self.name = settings.oidc_name or urlsplit(self.issuer).hostname or self.issuer
        self.rules = ClaimRules.of(settings.oidc_claims)
        self.link_email = settings.oidc_link_email
        self._settings = settings
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] = {}
        self._asked_at = self._keys_at = self._away_at = float("-inf")
        self._keys: KeySet | None = None

    @cached_property
    def _guarded(self) -> Settings:
        """The issuer's own host may be private, for the operator named it; others must be listed."""
        parts = urlsplit(self.issuer)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        hosts = f"{parts.hostname}:{port},{self._settings.oidc_private_hosts}"
        return replace(self._settings, fetch_private_hosts=hosts)

    def begin(self, redirect_uri: str, next_: str) -> str:
        """The address at the provider where the reader signs in; raises Unavailable when it is down."""
        endpoint = str(self.metadata()["authorization_endpoint"])
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        address, state = self._client(redirect_uri).create_authorization_url(
            endpoint, state=secrets.token_urlsafe(32), code_verifier=verifier, nonce=nonce
        )
        session[PENDING] = {
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "next": next_,
            "at": int(time.time()),
        }
        return str(address)

    def finish(self, redirect_uri: str, given: Mapping[str, str]) -> Signed:
        """Who came back from the provider; raises Unreadable, or Unavailable when it is down."""
        pending = session.pop(PENDING, None) or {}
        state, known = given.get("state", ""), str(pending.get("state", ""))
        if not known or not secrets.compare_digest(state.encode(), known.encode()):
            raise Unreadable(BROKEN)
        if time.time() - int(pending["at"]) > PENDING_SECONDS:
            raise Unreadable(BROKEN)
        if given.get("error") or not given.get("code"):
            log.warning("oidc_refused", error=given.get("error", "")[:100])
            raise Unreadable(REFUSED)
        if given.get("iss", self.issuer) != self.issuer:  # RFC 9207: another provider answers
            raise Unreadable(UNTRUE)
        token = self._token(redirect_uri, given["code"], pending["verifier"])
        id_token = str(token.get("id_token") or "")
        claims = self._verified(id_token, str(pending["nonce"]), str(token.get("access_token", "")))
        person = Person.of(self.issuer, self._completed(claims, token))
        return Signed(person, str(pending["next"]), id_token)

    def sign_out_address(self, id_token: str, back: str) -> str:
        """Where the reader's session at the provider ends; empty if the provider has no such place."""
        try:
            endpoint = str(self.metadata().get("end_session_endpoint") or "")
        except Unavailable:
            return ""
        if not endpoint.startswith(("https://", "http://")):
            return ""
        asked = {"client_id": self._settings.oidc_client_id, "post_logout_redirect_uri": back}
        if id_token:
            asked["id_token_hint"] = id_token
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def metadata(self) -> Mapping[str, Any]:
        """What the provider says of itself, which must be of the issuer that was named (OpenID Discovery 4.3)."""
        with self._lock:
            if time.monotonic() - self._asked_at < FRESH_SECONDS:
                return self._metadata
            if time.monotonic() - self._away_at < AWAY_SECONDS:
                raise Unavailable(AWAY)
            place = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
            try:
                said = self._json(place)
            except Unavailable:  # whoever waits for the lock need not wait for as long again
                self._away_at = time.monotonic()
                raise
            if said.get("issuer") != self.issuer or not said.get("authorization_endpoint"):
                log.error("oidc_other_issuer", issuer=str(said.get("issuer"))[:200])
                raise Unavailable(AWAY)
            self._metadata, self._asked_at = said, time.monotonic()
            return said

    def _client(self, redirect_uri: str) -> OAuth2Client:
        settings = self._settings
        offered = self.metadata().get("token_endpoint_auth_methods_supported")
        method = "client_secret_basic" if settings.oidc_client_secret else "none"
        if settings.oidc_client_secret and offered and method not in offered:
            method = "client_secret_post"
        return OAuth2Client(
            self,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret or None,
            token_endpoint_auth_method=method,
            scope=settings.oidc_scopes,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _token(self, redirect_uri: str, code: str, verifier: str) -> Mapping[str, Any]:
        try:
            token = self._client(redirect_uri).fetch_token(
                str(self.metadata()["token_endpoint"]),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
            )
        except (AuthlibBaseError, ValueError, KeyError) as error:
            log.warning("oidc_no_token", error=str(error)[:200])
            raise Unreadable(REFUSED) from error
        return cast("Mapping[str, Any]", token)

    def _verified(self, id_token: str, nonce: str, access_token: str) -> dict[str, Any]:
        """The claims of a token that this provider signed for this portal and this sign-in, now."""
        try:
            decoded = self._decoded(id_token)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._settings.oidc_client_id},
                    "nonce": {"essential": True, "value": nonce},
                    "sub": {"essential": True},
                },
                {
                    "client_id": self._settings.oidc_client_id,
                    "nonce": nonce,
                    "access_token": access_token,
                },
            )
            claims.validate(leeway=LEEWAY)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            log.warning("oidc_token_refused", error=str(error)[:200])
            raise Unreadable(UNTRUE) from error
        return dict(claims)

    def _decoded(self, id_token: str) -> jwt.Token:
        """The token under the keys that are known; a key that is not makes them be fetched anew."""
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        try:
            return jwt.decode(id_token, self._key_set(), registry=registry)
        except (JoseError, ValueError):
            if not self._forget_keys():
                raise
        return jwt.decode(id_token, self._key_set(), registry=registry)

    def _key_set(self) -> KeySet:
        with self._lock:
            known = self._keys
        if known is None:
            known = KeySet.import_key_set(
                cast("KeySetSerialization", self._json(str(self.metadata()["jwks_uri"])))
            )
            with self._lock:
                self._keys, self._keys_at = known, time.monotonic()
        return known

    def _forget_keys(self) -> bool:
        """Whether the keys are old enough to be fetched anew."""
        with self._lock:
            if time.monotonic() - self._keys_at < KEYS_PAUSE:
                return False
            self._keys = None
            return True

    def _completed(self, claims: dict[str, Any], token: Mapping[str, Any]) -> dict[str, Any]:
        """The claims with what only the provider's userinfo says: for the same person, or not at all."""
        wanted = {"email", "name", *(rule.claim.partition(".")[0] for rule in self.rules.rules)}
        endpoint = self.metadata().get("userinfo_endpoint")
        if wanted <= claims.keys() or not endpoint or not token.get("access_token"):
            return claims
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        said = self._json(str(endpoint), headers)
        if said.get("sub") != claims["sub"]:
            log.warning("oidc_userinfo_of_another")
            raise Unreadable(UNTRUE)
        return {**said, **claims}

    def post(
        self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str] | None, auth: Any
    ) -> _Answer:
        """Send a form; Authlib asks for tokens through this."""
        sent = {
            **(headers or {}),
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        address, sent, body = auth.prepare("POST", url, sent, urlencode(data))
        return self._ask("POST", address, sent, str(body).encode())

    def _json(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer = self._ask("GET", url, {"Accept": "application/json", **(headers or {})})
        answer.raise_for_status()
        try:
            said = answer.json()
        except ValueError as error:
            raise Unavailable(AWAY) from error
        if not isinstance(said, dict):
            raise Unavailable(AWAY)
        return said

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> _Answer:
        limits = Limits(page_bytes=1_000_000, read_seconds=10.0, page_seconds=15.0)
        try:
            with Http(self._guarded, limits) as http:
                return _Answer(*http.ask(method, url, headers=headers, content=content))
        except CatalogError as error:
            log.warning("oidc_provider_away", error=str(error))
            raise Unavailable(AWAY) from error


def init_app(app: Flask) -> None:
    """Read the settings of the provider, so that wrong ones stop the portal at its start."""
    settings: Settings = app.extensions["weft"]["settings"]
    app.extensions["weft_oidc"] = Provider(settings) if settings.oidc_issuer else None
    app.jinja_env.globals.update(oidc=provider)


def provider() -> Provider | None:
    """The provider where people may sign in, if there is one."""
    return cast("Provider | None", current_app.extensions["weft_oidc"])


def keep_id_token(id_token: str) -> None:
    """Remember in the session how it was opened, so that signing out can end it at the provider too."""
    session[ID_TOKEN] = id_token if len(id_token) <= LONGEST_KEPT else ""
