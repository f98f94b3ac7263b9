"""Lists of jobs over HTTP."""

import base64
import re
import time
from typing import Any

import httpx
import pytest
from api_bench import BANK, PDF, SCHOOL, error_of
from sqlalchemy import event

from workers import job_list
from workers.database import Database, State
from workers.job_list import Cursor


def submit(api: httpx.Client, key: str | None = None, **headers: str) -> Any:
    named = {} if key is None else {"Idempotency-Key": key}
    return api.post("/v1/jobs", files=[PDF], headers=named | headers).json()


def listed(api: httpx.Client, **asked: Any) -> list[str]:
    return [job["id"] for job in api.get("/v1/jobs", params=asked).json()["jobs"]]


def test_jobs_are_listed_newest_first(either: httpx.Client) -> None:
    assert listed(either) == []
    first, second, third = submit(either, "one"), submit(either), submit(either, "two")
    assert listed(either) == [third["id"], second["id"], first["id"]]
    assert listed(either, limit=2) == [third["id"], second["id"]]
    assert listed(either, idempotency_key="one") == [first["id"]]
    assert listed(either, idempotency_key="three") == []
    either.post(f"{second['url']}/cancel")
    assert listed(either, state="cancelled") == [second["id"]]
    assert listed(either, state="queued", idempotency_key="two") == [third["id"]]
    assert listed(either, state="cancelled", idempotency_key="two") == []


def test_an_entry_says_what_its_job_says(api: httpx.Client) -> None:
    job = submit(api, "monday-17")
    (entry,) = api.get("/v1/jobs").json()["jobs"]
    assert entry == {
        "id": job["id"],
        "state": "queued",
        "created": job["created"],
        "idempotency_key": "monday-17",
        "url": job["url"],
    }


def pages(
    api: httpx.Client, headers: dict[str, str] | None = None, **asked: Any
) -> list[list[str]]:
    """The ids of all lists, from the first to that without a next."""
    told, url = [], str(httpx.URL("/v1/jobs", params=asked))
    while url:
        answer = api.get(url, headers=headers).json()
        told.append([job["id"] for job in answer["jobs"]])
        url = answer["next"]
    return told


def test_a_list_goes_on_to_the_oldest_job(either: httpx.Client) -> None:
    ids = [submit(either)["id"] for _ in range(5)][::-1]
    assert pages(either, limit=2) == [ids[:2], ids[2:4], ids[4:]]
    assert pages(either, limit=5) == [ids]
    assert pages(either, limit=2, state="queued") == [ids[:2], ids[2:4], ids[4:]]


def test_a_list_goes_on_where_it_was_while_jobs_come_and_go(api: httpx.Client) -> None:
    ids = [submit(api)["id"] for _ in range(4)][::-1]
    first = api.get("/v1/jobs", params={"limit": 2}).json()
    submit(api)
    for gone in ids[:2]:  # also the one that the list ended with
        api.post(f"/v1/jobs/{gone}/cancel")
        assert api.delete(f"/v1/jobs/{gone}").status_code == 204
    second = api.get(first["next"]).json()
    assert [job["id"] for job in second["jobs"]] == ids[2:]
    assert second["next"] is None


def test_jobs_of_the_same_moment_are_listed_once_each(
    either: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1764405217.148272)
    ids = {submit(either)["id"] for _ in range(4)}
    told = pages(either, limit=1)
    assert len(told) == 4
    assert {job for (job,) in told} == ids


def test_a_list_goes_on_with_the_tenants_own_jobs_alone(keyed: httpx.Client) -> None:
    banks = [submit(keyed, **BANK)["id"] for _ in range(2)]
    schools = [submit(keyed, **SCHOOL)["id"] for _ in range(2)]
    banks.append(submit(keyed, **BANK)["id"])
    assert pages(keyed, BANK, limit=1) == [[job] for job in reversed(banks)]
    url = keyed.get("/v1/jobs", params={"limit": 1}, headers=BANK).json()["next"]
    others = keyed.get(url, headers=SCHOOL).json()
    assert {job["id"] for job in others["jobs"]} < set(schools)


@pytest.mark.parametrize("cursor", ["", "x", "ä", "bm9uZQ==", "MS4wIDIgMw==", "eCB4"])
def test_a_cursor_of_no_list_is_refused(api: httpx.Client, cursor: str) -> None:
    assert_refused(api, cursor)


@pytest.mark.parametrize("moment", ["nan", "inf", "-inf", "1e400", "١.٠", "1_0.0"])
def test_a_cursor_of_no_moment_is_refused(api: httpx.Client, moment: str) -> None:
    assert_refused(api, base64.urlsafe_b64encode(f"{moment} {'a' * 32}".encode()).decode())


@pytest.mark.parametrize("job_id", ["", "a\0b", "ä", "a" * 5000])
def test_a_cursor_of_no_id_is_refused(api: httpx.Client, job_id: str) -> None:
    assert_refused(api, base64.urlsafe_b64encode(f"1.0 {job_id}".encode()).decode())


def assert_refused(api: httpx.Client, cursor: str) -> None:
    answer = api.get("/v1/jobs", params={"cursor": cursor})
    assert error_of(answer) == (400, "BadRequest")
    assert "cursor" in answer.json()["error"]["message"]


def test_a_tenant_lists_only_its_own_jobs(keyed: httpx.Client) -> None:
    bank, school = submit(keyed, "1", **BANK), submit(keyed, "1", **SCHOOL)
    for headers, job in ((BANK, bank), (SCHOOL, school)):
        for asked in ({}, {"idempotency_key": "1"}, {"state": "queued"}):
            answer = keyed.get("/v1/jobs", params=asked, headers=headers)
            assert [entry["id"] for entry in answer.json()["jobs"]] == [job["id"]]


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 501},
        {"limit": "all"},
        {"state": "lost"},
        {"idempotency_key": ""},
        {"idempotency_key": "k" * 201},
    ],
)
def test_what_no_list_can_be_made_of_is_named(api: httpx.Client, asked: dict[str, Any]) -> None:
    answer = api.get("/v1/jobs", params=asked)
    assert error_of(answer) == (400, "BadRequest")
    assert next(iter(asked)) in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "ix_jobs_newest"),
        ({"state": State.QUEUED}, "ix_jobs_newest"),
        ({"after": Cursor(created_at=1.0, id="x")}, "(tenant=? AND created_at<?)"),
        ({"idempotency_key": "1"}, "(tenant=? AND idempotency_key=?)"),
    ],
)
def test_lists_are_served_by_an_index(database: Database, asked: Any, index: str) -> None:
    plans = []

    def explain(connection: Any, cursor: Any, query: str, values: Any, *_: object) -> None:
        plans.append(cursor.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    job_list.newest(database, tenant="bank", limit=50, **asked)
    event.remove(database.engine, "before_cursor_execute", explain)
    plan = str(plans[-1])
    assert index in plan
    # Jobs of the same moment are put in order, never all of a tenant's.
    assert "TEMP B-TREE" not in re.sub("TEMP B-TREE FOR (LAST TERM|RIGHT PART) OF", "", plan)
