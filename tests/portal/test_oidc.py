"""Signing in at an OpenID provider: a real one, and one that lies."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx  # noqa: TID251 # the browser of somebody who signs in
import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from werkzeug.test import TestResponse

from catalog.db import db, transaction
from catalog.errors import SettingsError
from catalog.models.account import Account, ApiKey
from catalog.models.log import LogEntry
from catalog.models.organization import Organization
from catalog.models.vocabulary import MemberRole, Role
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.account import KeyDraft, RegisterDraft
from catalog.schemas.claims import ClaimRules
from catalog.services import accounts, keys, organizations
from catalog.settings import Settings
from tests.make_oidc import MISSING, SITE, OpenIDProvider, make_oidc, oidc_is_there
from tests.make_page import checked, href, page, words
from tests.make_server import Asked, Served, make_server

RULES = {
    "groups": {
        "portal-admins": {"role": "administrator"},
        "ecology-editors": {"organization": "ecology", "role": "editor"},
        "ecology-publishers": {"organization": "ecology", "role": "publisher"},
        "water-members": {"organization": "water", "role": "member"},
    }
}
WANG = {"email": "Wang@City.example", "email_verified": True, "name": "王小明"}
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def people() -> dict[str, dict[str, Any]]:
    return {
        "wang": {**WANG, "groups": ["ecology-editors", "ecology-publishers", "unknown"]},
        "li": {"email": "li@city.example", "email_verified": False, "name": "李"},
        "silent": {"name": "Nobody"},
    }


@pytest.fixture(scope="module")
def real(people: dict[str, dict[str, Any]]) -> Iterator[OpenIDProvider]:
    if not oidc_is_there():
        pytest.skip(MISSING)
    with make_oidc(people=people) as provider:
        yield provider


def with_provider(settings: Settings, issuer: str, **more: Any) -> Settings:
    return replace(
        settings,
        site_url=SITE,
        oidc_issuer=issuer,
        oidc_name="城市统一认证",
        oidc_client_id="weft",
        oidc_client_secret="a secret of the portal's",
        oidc_claims=json.dumps(RULES),
        **more,
    )


def make_organizations() -> None:
    for slug in ("ecology", "water"):
        organizations.put(SCHEDULER, slug, title={"en": slug})


class TestAtARealProvider:
    """What a person does who signs in, screen by screen."""

    @pytest.fixture
    def settings(self, settings: Settings, real: OpenIDProvider) -> Settings:
        return with_provider(settings, real.issuer)

    def test_whoever_signs_in_there_has_an_account_with_the_roles_of_the_claims(
        self, client: FlaskClient
    ) -> None:
        make_organizations()
        came = come_back(client, "wang", next_="/en/organizations?page=1")
        assert came.headers["Location"] == "/en/organizations?page=1"
        account = one_account()
        assert (account.email, account.name) == ("wang@city.example", "王小明")
        assert [membership.role for membership in account.memberships] == [MemberRole.PUBLISHER]
        assert "王小明" in client.get("/zh/account/").get_data(as_text=True)
        come_back(client, "wang")
        assert one_account().id == account.id
        assert client.get("/zh/account/password").status_code == 200

    def test_one_without_verified_address_is_told_so(self, client: FlaskClient) -> None:
        for name, sentence in (("li", "not verified"), ("silent", "did not tell")):
            refused = come_back(client, name)
            assert refused.status_code == 403
            assert sentence in " ".join(words(checked(refused), ".govuk-error-summary"))
        assert db.session.scalars(select(Account)).all() == []

    def test_the_second_use_of_an_answer_is_refused(self, client: FlaskClient) -> None:
        path = answer_of(client, "wang").replace("/oidc/callback", "/en/account/oidc/finish")
        assert client.get(path).status_code == 302
        assert client.get(path).status_code == 422

    def test_new_keys_of_the_provider_are_fetched(
        self, client: FlaskClient, real: OpenIDProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert come_back(client, "wang").status_code == 302
        real.stop()
        real.start()
        monkeypatch.setattr("portal.oidc.KEYS_PAUSE", 0.0)
        assert come_back(client, "wang").status_code == 302

    def test_signing_out_ends_the_session_at_the_provider_too(self, client: FlaskClient) -> None:
        come_back(client, "wang")
        token = page(client, "/en/account/").select_one("[name=csrf_token]")
        assert token
        left = client.post("/en/account/sign-out", data={"csrf_token": str(token["value"])})
        there = href(checked(left), "main .govuk-button")
        assert left.headers["Refresh"] == f"0; url={there}"
        with httpx.Client() as browser:
            asked = browser.get(there)
            assert asked.status_code == 200
            assert "logout" in asked.text
        assert client.get("/en/account/").status_code == 302


@pytest.fixture
def liar() -> Iterator[Liar]:
    with make_server() as server:
        yield Liar(server)


class Liar:
    """A provider whose every answer the test decides."""

    def __init__(self, server: Served) -> None:
        self.server, self.issuer = server, server.url
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.published = self.key
        self.nonce = ""
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.userinfo: dict[str, Any] = {}
        self.said = self.metadata()
        answers = {
            "/.well-known/openid-configuration": lambda: self.said,
            "/jwks": lambda: {"keys": [self.published.as_dict(private=False)]},
            "/token": self.token,
            "/me": lambda: self.userinfo,
        }
        for path, answer in answers.items():
            server.behaviours[path] = saying(answer)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
        }

    def token(self) -> dict[str, Any]:
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "wang",
            "aud": "weft",
            "exp": moment + 300,
            "iat": moment,
            "nonce": self.nonce,
            **WANG,
            "groups": ["ecology-publishers"],
            **self.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(told)}

    def signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=["RS256"])


def saying(answer: Callable[[], dict[str, Any]]) -> Callable[[Asked], None]:
    return lambda asked: asked.answer(json.dumps(answer()).encode())


class TestAtOneThatLies:
    """Nothing but a whole, true and fresh answer signs anybody in."""

    @pytest.fixture
    def settings(self, settings: Settings, liar: Liar) -> Settings:
        return with_provider(settings, liar.issuer)

    def test_a_true_answer_signs_in(self, client: FlaskClient, liar: Liar) -> None:
        assert signed_in_at(client, liar).headers["Location"] == "/en/account/"

    @pytest.mark.parametrize(
        "claims",
        [
            {"nonce": "another"},
            {"nonce": None},
            {"aud": "somebody else"},
            {"aud": ["weft", "another"]},
            {"aud": None},
            {"iss": "https://evil.example"},
            {"exp": int(time.time()) - 3600},
            {"exp": None},
            {"iat": int(time.time()) + 3600},
            {"sub": None},
            {"azp": "another"},
        ],
    )
    def test_a_token_of_another_sign_in_portal_or_time_is_refused(
        self, client: FlaskClient, liar: Liar, claims: dict[str, Any]
    ) -> None:
        liar.claims = claims
        refuses(signed_in_at(client, liar))

    def test_a_token_without_signature_is_refused(self, client: FlaskClient, liar: Liar) -> None:
        liar.sign = lambda claims: unsigned(liar.signed(claims))
        refuses(signed_in_at(client, liar))

    def test_a_token_signed_with_the_shared_secret_or_the_public_key_is_refused(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        for secret in ("a secret of the portal's", liar.key.as_pem(private=False).decode()):
            liar.sign = partial(signed_by_secret, liar.key.kid or "", secret)
            refuses(signed_in_at(client, liar))

    def test_a_token_signed_with_another_key_is_refused(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        liar.key = RSAKey.generate_key(2048, auto_kid=True)
        refuses(signed_in_at(client, liar))

    def test_clocks_may_differ_by_half_a_minute(self, client: FlaskClient, liar: Liar) -> None:
        liar.claims = {"iat": int(time.time()) + 30, "exp": int(time.time()) - 30}
        assert signed_in_at(client, liar).status_code == 302

    def test_an_answer_to_another_state_is_refused(self, client: FlaskClient, liar: Liar) -> None:
        refuses(signed_in_at(client, liar, state="another"))
        refuses(client.get("/en/account/oidc/finish?code=x&state="))
        refuses(client.get("/en/account/oidc/finish"))

    def test_what_userinfo_says_of_somebody_else_is_refused(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        liar.claims = {"email": None}
        liar.userinfo = {"sub": "another", **WANG}
        refuses(signed_in_at(client, liar))
        liar.userinfo = {"sub": "wang", **WANG}
        assert signed_in_at(client, liar).status_code == 302

    def test_an_answer_of_another_issuer_and_a_refusal_are_told(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        refuses(signed_in_at(client, liar, iss="https://evil.example"))
        refuses(signed_in_at(client, liar, error="access_denied"))

    def test_a_provider_of_another_name_is_not_taken(self, client: FlaskClient, liar: Liar) -> None:
        liar.said["issuer"] = "https://evil.example"
        away = client.get("/zh/account/oidc/")
        assert away.status_code == 503
        assert checked(away).select("form #email")

    def test_while_it_is_down_the_local_form_stays(self, client: FlaskClient, liar: Liar) -> None:
        liar.server.close()
        away = client.get("/en/account/oidc/?next=/en/sql")
        soup = checked(away)
        assert away.status_code == 503
        assert "cannot be reached" in " ".join(words(soup, ".govuk-error-summary"))
        assert soup.select_one("form [name=next]")["value"] == "/en/sql"  # type: ignore[index] # it is there
        liar.server.close = lambda: None

    def test_who_comes_while_it_does_not_answer_need_not_wait_too(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        asked: list[str] = []
        place = "/.well-known/openid-configuration"
        liar.server.behaviours[place] = saying(lambda: asked.append(place))
        for _ in range(3):
            assert client.get("/en/account/oidc/").status_code == 503
        assert asked == [place]

    @pytest.mark.parametrize(
        "wanted", ["//evil.example", "https://evil.example", "/\\evil.example"]
    )
    def test_nobody_is_led_to_another_site(
        self, client: FlaskClient, liar: Liar, wanted: str
    ) -> None:
        assert signed_in_at(client, liar, next_=wanted).headers["Location"] == "/en/account/"

    def test_roles_follow_the_claims_at_every_sign_in_and_are_written_down(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        make_organizations()
        liar.claims = {"groups": ["portal-admins", "ecology-editors", "water-members"]}
        signed_in_at(client, liar)
        account = one_account()
        assert account.role == Role.ADMINISTRATOR
        assert roles() == {"ecology": "editor", "water": "member"}
        before = lines()
        signed_in_at(client, liar)
        assert lines() == before
        liar.claims = {"groups": ["ecology-publishers"]}
        signed_in_at(client, liar)
        assert one_account().role == Role.ACCOUNT
        assert roles() == {"ecology": "publisher"}
        assert lines()[len(before) :] == [
            ("account.role", "account"),
            ("organization.member", "publisher"),
            ("organization.member", None),
        ]

    def test_what_claims_do_not_decide_is_left_alone(self, client: FlaskClient, liar: Liar) -> None:
        make_organizations()
        organizations.put(SCHEDULER, "parks", title={"en": "parks"})
        signed_in_at(client, liar)
        account = one_account()
        with transaction():
            join(account, "parks", MemberRole.EDITOR)
        liar.claims = {"groups": []}
        signed_in_at(client, liar)
        assert roles() == {"parks": "editor"}

    def test_a_closed_account_cannot_enter(self, client: FlaskClient, liar: Liar) -> None:
        signed_in_at(client, liar)
        with transaction():
            one_account().active = False
        refused = signed_in_at(client, liar)
        assert refused.status_code == 403
        assert client.get("/en/account/").status_code == 302

    def test_the_password_form_does_not_open_an_account_of_the_provider(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        signed_in_at(client, liar)
        soup = page(client, "/en/account/sign-in")
        fields = {"csrf_token": str(soup.select_one("[name=csrf_token]")["value"])}  # type: ignore[index] # it is there
        for password in ("x", PASSWORD):
            sent = {**fields, "email": "wang@city.example", "password": password}
            assert client.post("/en/account/sign-in", data=sent).status_code == 422

    def test_an_address_that_is_known_is_not_taken_over(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        accounts.register(ANYONE, RegisterDraft("wang@city.example", "王", PASSWORD), address="")
        assert signed_in_at(client, liar).status_code == 409
        assert one_account().issuer is None

    def test_the_sign_in_page_names_the_provider(self, client: FlaskClient) -> None:
        assert "Sign in with 城市统一认证" in words(
            page(client, "/en/account/sign-in"), ".govuk-button"
        )


class TestWhereAddressesAreLinked:
    """The operator lets a verified address take over the account that has it."""

    @pytest.fixture
    def settings(self, settings: Settings, liar: Liar) -> Settings:
        return with_provider(settings, liar.issuer, oidc_link_email=True)

    def test_a_verified_address_is_linked_and_password_and_keys_end(
        self, client: FlaskClient, liar: Liar
    ) -> None:
        draft = RegisterDraft("wang@city.example", "王", PASSWORD)
        account = accounts.register(ANYONE, draft, address="")
        keys.create(Identity.of(account), KeyDraft("old"))
        liar.claims = {"email_verified": None}
        assert signed_in_at(client, liar).status_code == 409
        liar.claims = {}
        assert signed_in_at(client, liar).status_code == 302
        linked = one_account()
        assert (linked.id, linked.subject, linked.password_hash) == (account.id, "wang", "")
        assert db.session.scalars(select(ApiKey.revoked_at)).one() is not None
        liar.claims = {"sub": "another"}
        assert signed_in_at(client, liar).status_code == 409


def test_without_a_provider_there_is_no_other_way_in(client: FlaskClient) -> None:
    assert client.get("/en/account/oidc/").status_code == 404
    assert "oidc" not in client.get("/en/account/sign-in").get_data(as_text=True)


@pytest.mark.parametrize(
    "text",
    [
        "no file",
        "{",
        '{"groups": []}',
        '{"groups": {"x": {"role": "king"}}}',
        '{"groups": {"x": {"role": "account"}}}',
        '{"groups": {"x": {"organization": "a"}}}',
        '{"groups": {"x": {"role": "administrator", "more": 1}}}',
    ],
)
def test_rules_that_say_nothing_stop_the_portal(text: str) -> None:
    with pytest.raises(SettingsError):
        ClaimRules.of(text)


def test_a_claim_inside_of_an_object_is_found_and_the_highest_role_wins() -> None:
    rules = ClaimRules.of(
        json.dumps(
            {
                "realm.roles": {
                    "a": [{"organization": "x", "role": "publisher"}, {"role": "administrator"}],
                    "b": {"organization": "x", "role": "member"},
                }
            }
        )
    )
    standing = rules.standing({"realm": {"roles": ["b", "a"]}})
    assert (standing.administrator, standing.organizations) == (True, {"x": "publisher"})
    assert rules.standing({"realm": "a"}).organizations == {}


def answer_of(client: FlaskClient, name: str, next_: str = "") -> str:
    """Sign in at the real provider as a browser does; the path at the portal to which it sends back."""
    begun = client.get("/en/account/oidc/", query_string={"next": next_})
    assert begun.status_code == 302, begun.get_data(as_text=True)
    with httpx.Client() as browser:
        answer = browser.get(begun.headers["Location"])
        for _ in range(10):
            if answer.is_redirect:
                place = str(answer.next_request.url) if answer.next_request else ""
                if place.startswith(SITE):
                    return place.removeprefix(SITE)
                answer = browser.get(place)
                continue
            form = BeautifulSoup(answer.text, "html.parser").select_one("form")
            assert form, answer.text
            fields = {str(one["name"]): str(one.get("value", "")) for one in form.select("[name]")}
            known = {"login": name, "password": "any"}
            fields |= {key: known[key] for key in fields.keys() & known.keys()}
            answer = browser.post(str(form["action"]), data=fields)
    raise AssertionError("the provider did not send back")


def come_back(client: FlaskClient, name: str, next_: str = "") -> TestResponse:
    to_finish = client.get(answer_of(client, name, next_), headers={"Accept-Language": "en"})
    assert to_finish.status_code == 302
    return client.get(to_finish.headers["Location"])


def signed_in_at(client: FlaskClient, liar: Liar, next_: str = "", **given: str) -> TestResponse:
    """Begin, let the liar see the nonce, and come back with a code."""
    begun = client.get("/en/account/oidc/", query_string={"next": next_})
    assert begun.status_code == 302, begun.get_data(as_text=True)
    asked = dict(parse_qsl(urlsplit(begun.headers["Location"]).query))
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{SITE}/oidc/callback"
    liar.nonce = asked["nonce"]
    back = {"code": "a code", "state": asked["state"], **given}
    return client.get(f"/en/account/oidc/finish?{urlencode(back)}")


def refuses(response: TestResponse) -> None:
    assert response.status_code == 422
    assert checked(response).select(".govuk-error-summary")
    assert db.session.scalars(select(Account)).all() == []


def unsigned(token: str) -> str:
    return f"{encoded({'alg': 'none'})}.{token.split('.')[1]}."


def signed_by_secret(kid: str, secret: str, claims: dict[str, Any]) -> str:
    content = f"{encoded({'alg': 'HS256', 'kid': kid})}.{encoded(claims)}"
    digest = hmac.new(secret.encode(), content.encode(), "sha256").digest()
    return f"{content}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def one_account() -> Account:
    db.session.rollback()  # the next look sees what the portal has written meanwhile
    db.session.expire_all()
    return db.session.scalars(select(Account)).one()


def join(account: Account, slug: str, role: MemberRole) -> None:
    from catalog.models.account import Membership

    organization = db.session.scalars(select(Organization).filter_by(slug=slug)).one()
    account.memberships.append(
        Membership(account_id=account.id, organization_id=organization.id, role=role)
    )


def roles() -> dict[str, str]:
    slugs = {
        row.id: row.slug for row in db.session.execute(select(Organization.id, Organization.slug))
    }
    return {slugs[one.organization_id]: str(one.role) for one in one_account().memberships}


def lines() -> list[tuple[str, Any]]:
    db.session.rollback()
    entries = db.session.scalars(select(LogEntry).order_by(LogEntry.number))
    return [(entry.action, entry.data.get("role")) for entry in entries]
