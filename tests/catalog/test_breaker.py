"""When callers go to a server that may be down."""

from __future__ import annotations

import pytest

from catalog.search.breaker import TOLERATED_TIMEOUTS, Breaker


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """The moment."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(10.0, now=clock)


def test_after_a_failure_nobody_waits_for_the_server(breaker: Breaker) -> None:
    assert breaker.lets_through()
    breaker.failed()
    assert breaker.is_open
    assert not breaker.lets_through()


def test_after_a_pause_one_caller_tries_and_the_others_wait_for_it(
    breaker: Breaker, clock: Clock
) -> None:
    breaker.failed()
    clock.seconds = 10.0
    assert breaker.lets_through()
    assert not breaker.lets_through()
    breaker.failed()
    clock.seconds = 19.0
    assert not breaker.lets_through()
    clock.seconds = 20.0
    assert breaker.lets_through()


def test_one_answer_lets_everybody_through(breaker: Breaker, clock: Clock) -> None:
    breaker.failed()
    clock.seconds = 10.0
    assert breaker.lets_through()
    breaker.succeeded()
    assert not breaker.is_open
    assert breaker.lets_through()
    assert breaker.lets_through()


def test_a_late_answer_alone_is_a_hard_question_and_several_are_an_outage(breaker: Breaker) -> None:
    for _ in range(TOLERATED_TIMEOUTS - 1):
        breaker.failed(late=True)
    assert breaker.lets_through()
    breaker.succeeded()
    for _ in range(TOLERATED_TIMEOUTS):
        breaker.failed(late=True)
    assert not breaker.lets_through()


def test_a_late_answer_of_the_one_that_tries_keeps_it_shut(breaker: Breaker, clock: Clock) -> None:
    breaker.failed()
    clock.seconds = 10.0
    assert breaker.lets_through()
    breaker.failed(late=True)
    clock.seconds = 15.0
    assert not breaker.lets_through()
