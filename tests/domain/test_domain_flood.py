"""Who answered how often lately: counted in memory, by address, and forgotten after a minute."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from consent.flood import LIMIT, WINDOW, Flood


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def admitted(flood: Flood, address: str, times: int = LIMIT + 5) -> int:
    return sum(flood.admits(address) for _ in range(times))


@pytest.mark.parametrize("address", ["198.51.99.7", "2a00:1450::1", "::ffff:93.184.216.34"])
def test_one_address_is_limited_and_admitted_again_after_a_minute(address: str) -> None:
    clock = Clock()
    flood = Flood(clock=clock)
    assert ip_address(address).is_global or "ffff" in address
    assert admitted(flood, address) == LIMIT
    assert not flood.admits(address)
    clock.now += WINDOW
    assert flood.admits(address)


@pytest.mark.parametrize("address", ["", "unix:", "127.0.0.1", "10.1.2.3", "::1", "fe80::1%eth0", "192.168.0.9"])
def test_an_address_that_stands_for_many_is_never_limited(address: str) -> None:
    assert admitted(Flood(), address) == LIMIT + 5


def test_a_household_counts_once_and_its_neighbours_for_themselves() -> None:
    flood = Flood()
    assert admitted(flood, "2a00:1450:4001:81b::1") == LIMIT
    assert not flood.admits("2a00:1450:4001:81b:ffff::2")
    assert flood.admits("2a00:1450:4001:81c::1")


def test_an_answer_repeats_for_a_minute() -> None:
    clock = Clock()
    flood = Flood(clock=clock)
    assert not flood.repeats(("me", "yes"))
    flood.remember(("me", "yes"))
    assert flood.repeats(("me", "yes"))
    assert not flood.repeats(("me", "no"))
    clock.now += WINDOW
    assert not flood.repeats(("me", "yes"))


def test_memory_is_bounded_and_holds_no_address() -> None:
    flood = Flood()
    for number in range(30_000):
        flood.admits(f"2a00:1450:{number:x}::1")
    assert len(flood._counts) == 20_000
    assert all(isinstance(name, bytes) and len(name) == 16 for name in flood._counts)
