"""No address inside anybody's own network passes for public, however it is dressed."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.public_addresses import is_public

pytestmark = pytest.mark.unit

#: Every block of the IANA special-purpose registries that is not "globally reachable", the multicast blocks, and
#: every IPv6 block that embeds IPv4 addresses.
SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/96",
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)

METADATA = ("169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")

PUBLIC = ("1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.1.1", "223.255.255.254", "2606:4700::1111")


def inside(block: str) -> st.SearchStrategy[str]:
    network = ip_network(block)
    make = IPv4Address if isinstance(network, IPv4Network) else IPv6Address
    first, last = int(network.network_address), int(network.broadcast_address)
    return st.integers(first, last).map(lambda number: str(make(number)))


@given(st.sampled_from(SPECIAL).flatmap(inside))
def test_no_special_purpose_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("block", SPECIAL)
def test_the_ends_of_no_special_block_are_public(block: str) -> None:
    network = ip_network(block)
    assert not is_public(str(network.network_address))
    assert not is_public(str(network.broadcast_address))


@pytest.mark.parametrize("address", METADATA)
def test_no_cloud_answers_its_metadata(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_one_is_refused_whatever_it_is(address: IPv4Address) -> None:
    number = int(address)
    embedded = {
        "mapped": (0xFFFF << 32) | number,
        "compatible": number,
        "nat64": int(IPv6Address("64:ff9b::")) | number,
        "local nat64": int(IPv6Address("64:ff9b:1::")) | number,
        "6to4": (0x2002 << 112) | (number << 80),
        "teredo client": (0x20010000 << 96) | (number ^ 0xFFFFFFFF),
        "teredo server": (0x20010000 << 96) | (number << 64),
    }
    for kind, value in embedded.items():
        assert not is_public(str(IPv6Address(value))), kind


@given(st.ip_addresses())
def test_what_is_public_is_global_unicast(address: IPv4Address | IPv6Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        special = (address.is_private, address.is_multicast, address.is_reserved, address.is_link_local)
        assert not any(special)
        assert isinstance(address, IPv4Address) or address in IPv6Network("2000::/3")


@pytest.mark.parametrize("address", PUBLIC)
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f.0.0.1", "127.1", "fe80::1%eth0/64"])
def test_what_is_no_address_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        ip_address(text)
    with pytest.raises(ValueError, match="does not appear to be"):
        is_public(text)


def test_a_scoped_address_is_not_public() -> None:
    assert not is_public("fe80::1%eth0")
