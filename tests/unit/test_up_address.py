"""Where `hwr up` has the API listen, by IPv4 and by IPv6."""

import socket

import pytest

from hwr.errors import PortTaken
from workers import up


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80"), ("name", "http://name:80")],
)
def test_the_address_is_a_url(host: str, url: str) -> None:
    assert up.url_of(host, 80) == url


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_port_counts_as_taken_only_while_it_is(host: str, family: int) -> None:
    with socket.socket(family) as other:
        try:
            other.bind((host, 0))
        except OSError:
            pytest.skip(f"there is no {host} here")
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=r"\(Address already in use\)"):
            up._check_port(host, port)
    up._check_port(host, port)
