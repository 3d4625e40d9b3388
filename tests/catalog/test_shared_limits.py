"""Limits that several processes count together in Redis, and what happens when it is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from catalog.errors import TooMany
from catalog.services import attempts
from catalog.settings import Settings
from wsgi import create_app


@pytest.fixture
def other(settings: Settings, redis: str) -> Flask:
    """Another process that counts in the same Redis."""
    return create_app(replace(settings, limits_url=redis))


@pytest.fixture
def one(settings: Settings, redis: str) -> Iterator[Flask]:
    """A process that counts in Redis."""
    app = create_app(replace(settings, limits_url=redis))
    with app.app_context():
        yield app


def guess(email: str) -> None:
    for _ in range(attempts.FREE_FAILURES + 1):
        attempts.count_failure(email)


def test_wrong_passwords_count_wherever_they_were_typed(one: Flask, other: Flask) -> None:
    guess("wang@example.org")
    with other.app_context(), pytest.raises(TooMany):
        attempts.require_patience("wang@example.org")
    attempts.forget_failures("wang@example.org")
    with other.app_context():
        attempts.require_patience("wang@example.org")


def test_without_redis_each_process_counts_for_itself(settings: Settings) -> None:
    with create_app(replace(settings, limits_url="redis://127.0.0.1:1")).app_context():
        guess("li@example.org")
        with pytest.raises(TooMany):
            attempts.require_patience("li@example.org")
        attempts.forget_failures("li@example.org")
        attempts.require_patience("li@example.org")
        attempts.count_sign_in("192.0.2.9")
