"""Lists of jobs over HTTP."""

from typing import Any

import httpx
import pytest
from api_bench import BANK, PDF, SCHOOL, error_of
from sqlalchemy import event

from workers import job_list
from workers.database import Database, State


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
    assert "TEMP B-TREE" not in plan
