"""The gate that every test here shares, and two visitors."""

from __future__ import annotations

import pytest
from harbour_policy import make_policy

from consent.choice import Choice, Permissions, Signals, decide
from consent.gate import Gate
from consent.policy import Policy


@pytest.fixture(scope="session")
def policy() -> Policy:
    return make_policy()


@pytest.fixture(scope="session")
def gate(policy: Policy) -> Gate:
    return Gate(policy)


@pytest.fixture(scope="session")
def refused(policy: Policy) -> Permissions:
    return decide(policy, Choice.refusing(), Signals())


@pytest.fixture(scope="session")
def granted(policy: Policy) -> Permissions:
    return decide(policy, Choice.granting("youtube", "stats"), Signals())
