"""Keys of the HTTP interface, and what tenants see of each other."""

import httpx
import pytest
from api_bench import BANK, PDF, SCHOOL, error_of


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", "Basic bank-key", "bank-key", "Bearer é"],
)
def test_without_a_key_nothing_is_told(keyed: httpx.Client, header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode()}
    for answer in (
        keyed.post("/v1/jobs", files=[PDF], headers=headers),
        keyed.get("/v1/jobs", headers=headers),
        keyed.get("/v1/jobs/x", headers=headers),
        keyed.get("/v1/jobs/x/results", headers=headers),
        keyed.post("/v1/jobs/x/cancel", headers=headers),
    ):
        assert error_of(answer) == (401, "KeyRefused")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_health_needs_no_key(keyed: httpx.Client) -> None:
    assert keyed.get("/healthz").status_code == 200
    assert keyed.get("/readyz").status_code == 200


def test_a_tenant_sees_only_its_own_jobs(keyed: httpx.Client) -> None:
    url = keyed.post("/v1/jobs", files=[PDF], headers=BANK).json()["url"]
    assert keyed.get(url, headers=BANK).status_code == 200
    assert error_of(keyed.get(url, headers=SCHOOL)) == (404, "JobNotFound")
    assert error_of(keyed.get(f"{url}/results", headers=SCHOOL)) == (404, "JobNotFound")
    assert error_of(keyed.post(f"{url}/cancel", headers=SCHOOL)) == (404, "JobNotFound")
    assert keyed.get(url, headers=BANK).json()["state"] == "queued"


def test_tenants_may_use_the_same_idempotency_key(keyed: httpx.Client) -> None:
    key = {"Idempotency-Key": "1"}
    bank = keyed.post("/v1/jobs", files=[PDF], headers=BANK | key)
    school = keyed.post("/v1/jobs", files=[("files", ("b.pdf", b"b"))], headers=SCHOOL | key)
    assert bank.json()["id"] != school.json()["id"]
