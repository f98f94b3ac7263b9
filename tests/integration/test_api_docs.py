"""The interactive description, where there is no internet."""

import re
from html.parser import HTMLParser

import httpx
import pytest
from api_bench import error_of


class _Loaded(HTMLParser):
    """What a page has the browser load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.within: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in ("script", "link"):
            address = told.get("src") or told.get("href")
            (self.addresses if address else self.within).append(address or tag)


def policy_of(page: httpx.Response) -> dict[str, list[str]]:
    parts = (part.split() for part in page.headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in parts}


def test_all_of_it_comes_from_the_service(api: httpx.Client) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    loaded = _Loaded(page.text)
    assert len(loaded.addresses) == 4
    assert loaded.within == []  # which the policy does not permit
    for address in loaded.addresses:
        answer = api.get(page.url.join(address))
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
    policy = policy_of(page)
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["connect-src"] == ["'self'"]


def test_who_only_looks_whether_it_is_there_is_told(api: httpx.Client) -> None:
    answer = api.head("/docs")
    assert (answer.status_code, answer.content) == (200, b"")


def test_it_shows_what_the_service_says_of_itself(api: httpx.Client) -> None:
    told = re.search(r'url: "([^"]+)"', api.get("/docs/start.js").text)
    assert told
    assert api.get(api.get("/docs").url.join(told[1])).json()["info"]["title"] == "hwr"


@pytest.mark.parametrize(
    "address", ["/docs/other.js", "/docs/__init__.py", "/docs/..%2f__init__.py", "/docs/"]
)
def test_nothing_else_is_there(api: httpx.Client, address: str) -> None:
    assert error_of(api.get(address)) == (404, "NotFound")
