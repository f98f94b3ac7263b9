"""Where `hwr up` has the API listen, by IPv4 and by IPv6."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hwr.errors import PortTaken
from workers import up
from workers.cli import app
from workers.settings import Settings


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


@pytest.mark.parametrize(("arguments", "port"), [([], 18080), (["--port", "18081"], 18081)])
def test_without_a_port_it_is_that_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], port: int
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(up, "up", lambda _data, port, _say: asked.append(port))
    monkeypatch.setattr("workers.settings.get_settings", lambda: Settings(api_port=18080))
    done = CliRunner().invoke(app, ["up", "--data", str(tmp_path), *arguments])
    assert done.exit_code == 0, done.output
    assert asked == [port]
