"""A tenant that hands in more than it may have waiting."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from api_bench import BANK, KEYS, PDF, SCHOOL, error_of, make_tables, open_api, stored

from hwr.errors import ServiceUnavailable
from workers.client import Client
from workers.settings import Settings

KEY = {"Idempotency-Key": "monday"}


@pytest.fixture
def bounded_settings(either_settings: Settings) -> Settings:
    keys = {tenant: (key,) for tenant, key in KEYS.items()}
    return either_settings.model_copy(update={"api_keys": keys, "max_waiting_documents": 2})


@pytest.fixture
def bounded(bounded_settings: Settings) -> Iterator[httpx.Client]:
    """An API that takes two documents of each tenant."""
    make_tables(bounded_settings)
    with open_api(bounded_settings) as client:
        yield client


def test_a_tenant_whose_documents_wait_is_told_to_wait(bounded: httpx.Client) -> None:
    first = bounded.post("/v1/jobs", files=[PDF, PDF], headers=BANK | KEY)
    assert first.status_code == 202
    refused = bounded.post("/v1/jobs", files=[PDF], headers=BANK)
    assert error_of(refused) == (429, "TooManyWaiting")
    assert int(refused.headers["retry-after"]) > 0
    # What was taken is told again, and others are not concerned.
    again = bounded.post("/v1/jobs", files=[PDF, PDF], headers=BANK | KEY)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert bounded.post("/v1/jobs", files=[PDF], headers=SCHOOL).status_code == 202
    bounded.post(f"{first.json()['url']}/cancel", headers=BANK)
    assert bounded.post("/v1/jobs", files=[PDF], headers=BANK).status_code == 202


def test_what_is_refused_is_not_taken_in(settings: Settings, tmp_path: Path) -> None:
    large = tmp_path / "large.pdf"
    large.write_bytes(bytes(2**25))
    bounded = settings.model_copy(update={"max_waiting_documents": 1, "max_bytes": 2**26})
    make_tables(bounded)
    with open_api(bounded) as api:
        api.post("/v1/jobs", files=[PDF])
        refused = pytest.raises(ServiceUnavailable, match="as many as may be")
        with Client(str(api.base_url)) as client, refused:
            client.submit([large])
    assert len(stored(bounded)) == 1
