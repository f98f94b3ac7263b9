"""Looking at jobs over HTTP, and cancelling them."""

import httpx
import pytest
from api_bench import PDF, error_of

from workers.settings import Settings


def test_an_unknown_job(api: httpx.Client) -> None:
    for answer in (
        api.get("/v1/jobs/nothing"),
        api.get("/v1/jobs/nothing/results"),
        api.post("/v1/jobs/nothing/cancel"),
    ):
        assert error_of(answer) == (404, "JobNotFound")


def test_cancel(either: httpx.Client) -> None:
    job = either.post("/v1/jobs", files=[PDF]).json()
    for _ in range(2):
        assert either.post(f"{job['url']}/cancel").json()["state"] == "cancelled"
    answer = either.get(job["url"])
    assert answer.json()["documents"][0]["state"] == "cancelled"
    assert "retry-after" not in answer.headers
    assert either.get(job["results_url"]).json()["complete"] is True


def test_a_job_says_its_idempotency_key(api: httpx.Client) -> None:
    named = api.post("/v1/jobs", files=[PDF], headers={"Idempotency-Key": "monday-17"}).json()
    assert named["idempotency_key"] == "monday-17"
    assert api.get(named["url"]).json()["idempotency_key"] == "monday-17"
    assert api.post("/v1/jobs", files=[PDF]).json()["idempotency_key"] is None


def test_a_job_that_has_not_changed_is_not_sent_again(
    either: httpx.Client, either_settings: Settings
) -> None:
    job = either.post("/v1/jobs", files=[PDF]).json()
    tag = either.get(job["url"]).headers["etag"]
    for asked in (tag, f'"x", {tag}', "*"):
        answer = either.get(job["url"], headers={"If-None-Match": asked})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert int(answer.headers["retry-after"]) > 0
    either.post(f"{job['url']}/cancel")
    answer = either.get(job["url"], headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert either.get(job["url"], headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("address", ["/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/results"])
def test_head_has_the_headers_of_get(api: httpx.Client, address: str) -> None:
    url = address.format(id=api.post("/v1/jobs", files=[PDF]).json()["id"])
    got, asked = api.get(url), api.head(url)
    assert (asked.status_code, asked.content) == (200, b"")
    ignored = ("date", "content-length", "transfer-encoding")
    told = [{k: v for k, v in a.headers.items() if k not in ignored} for a in (got, asked)]
    assert told[0] == told[1]
