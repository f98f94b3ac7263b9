"""What GET /metrics tells, whom it tells, and what it does without its servers."""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from api_bench import BANK, KEYS, PDF, error_of, make_settings, make_tables, open_api
from pipeline import draw_lines, png
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Select, text
from stage_bench import ListDispatch, Stages, open_stages

from hwr import __version__
from hwr.errors import JobNotFound
from workers import jobs, leases
from workers.api import latest, work_left
from workers.api import results as api_results
from workers.api.sending import Sending
from workers.counts import KEY, Event, open_counts
from workers.database import Database, Document, open_database
from workers.reaper import look_after
from workers.settings import Settings

TOKEN = {"Authorization": "Bearer scrape-me"}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(api: httpx.Client) -> Samples:
    # A connection of its own: the server ends one on which it has failed.
    answer = httpx.get(api.base_url.join("/metrics"), headers=TOKEN, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.name.startswith("hwr_") and family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    told = {(s.name, frozenset(s.labels.items())): s.value for s in samples}
    assert len(told) == len(samples)
    return told


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"hwr_{name}", frozenset(labels.items())]


def names(samples: Samples) -> set[str]:
    return {name for name, _ in samples}


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return make_settings(tmp_path, redis_url, api_keys=KEYS, metrics_token="scrape-me")


@pytest.fixture
def either_database(either_settings: Settings) -> Iterator[Database]:
    database = open_database(either_settings)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "FRESH_S", 0.0)


class TestAccess:
    def test_without_a_token_of_its_own_there_is_no_such_address(self, keyed: httpx.Client) -> None:
        for headers in (BANK, TOKEN, {"Authorization": "Bearer"}, {}):
            assert error_of(keyed.get("/metrics", headers=headers)) == (404, "NotFound")

    @pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Bearer bank-key"])
    def test_nobody_else_is_told(self, api: httpx.Client, header: str | None) -> None:
        headers = {"Authorization": header} if header else {}
        assert error_of(api.get("/metrics", headers=headers)) == (401, "KeyRefused")

    def test_the_token_opens_no_jobs(self, api: httpx.Client) -> None:
        assert error_of(api.get("/v1/jobs", headers=TOKEN)) == (401, "KeyRefused")

    def test_tenants_are_not_told_of_the_address(self, api: httpx.Client) -> None:
        assert "/metrics" not in api.get("/openapi.json").text

    def test_it_tells_of_no_tenant_and_no_document(self, api: httpx.Client) -> None:
        job = api.post("/v1/jobs", files=[PDF], headers=BANK).json()["id"]
        api.get(f"/v1/jobs/{job}", headers=BANK)
        told = api.get("/metrics", headers=TOKEN).text
        assert not [secret for secret in ("bank", "scan", job) if secret in told]


class TestWorkLeft:
    def test_what_waits_is_counted_and_its_age_told(
        self, either: httpx.Client, either_database: Database
    ) -> None:
        for lane, files in (("normal", 2), ("low", 1)):
            either.post("/v1/jobs", files=[PDF] * files, data={"lane": lane}, headers=BANK)
        with either_database.writing() as session:
            session.execute(text("UPDATE jobs SET created_at = created_at - 60 WHERE lane = 'low'"))
            session.execute(text("UPDATE documents SET state = 'running' WHERE position = 1"))
        told = scraped(either)
        waiting = [
            value(told, "documents_unfinished", lane=lane, state=state)
            for lane in ("high", "normal", "low")
            for state in ("queued", "running")
        ]
        assert waiting == [0, 0, 1, 1, 1, 0]
        age = "documents_oldest_age_seconds"
        assert 60 <= value(told, age, lane="low", state="queued") < 600
        assert 0 <= value(told, age, lane="normal", state="queued") < 60
        assert value(told, age, lane="high", state="queued") == 0
        assert value(told, "queue_messages", queue="split.normal") == 2
        assert value(told, "queue_messages", queue="read.low") == 0

    def test_what_is_closed_is_not(self, api: httpx.Client) -> None:
        job = api.post("/v1/jobs", files=[PDF], headers=BANK).json()["id"]
        api.post(f"/v1/jobs/{job}/cancel", headers=BANK)
        assert value(scraped(api), "documents_unfinished", lane="normal", state="queued") == 0

    @pytest.mark.parametrize("statement", [work_left._DOCUMENTS_LEFT, work_left._PAGES_LEFT])
    def test_no_table_is_walked_through_for_it(
        self, either: httpx.Client, either_database: Database, statement: Select[Any]
    ) -> None:
        explain = "EXPLAIN QUERY PLAN"
        with either_database.reading() as session:
            if session.get_bind().dialect.name == "postgresql":
                explain = "EXPLAIN"
                # Empty tables are read whole, unless that is forbidden.
                session.execute(text("SET enable_seqscan = off"))
                session.execute(text("SET enable_bitmapscan = off"))
            rows = session.execute(text(f"{explain} {statement.compile()}")).all()
        plan = "\n".join(str(row) for row in rows)
        assert ("ix_documents_open" in plan) or ("ix_pages_due" in plan)
        assert "Seq Scan" not in plan


@pytest.fixture
def stages(tmp_path: Path, settings: Settings) -> Iterator[Stages]:
    """Stages that count in Redis, on the servers of the API."""
    with open_stages(tmp_path, redis_url=settings.redis_url, max_attempts=1) as stages:
        yield Stages(replace(stages.context, counts=open_counts(settings)), stages.queue)


class TestCounts:
    def test_what_was_read_and_what_failed_by_name(
        self, settings: Settings, stages: Stages
    ) -> None:
        stages.submit(png(draw_lines(2)), png(draw_lines(0)), b"no document")
        stages.run()
        stages.submit(png(draw_lines(2)))
        stages.split()
        (waiting,) = (page for page in stages.pages() if page.due_at)
        with open_api(settings) as api:
            left = scraped(api)
        assert waiting.lines_key is not None
        stages.context.storage.delete(waiting.lines_key)
        stages.run()
        with open_api(settings) as api:
            told = scraped(api)
        assert value(left, "pages_unfinished", state="queued") == 1
        assert value(told, "pages_unfinished", state="queued") == 0
        assert value(told, "pages_read_total", model="test") == 1
        assert value(told, "pages_read_total", model="") == 1
        assert value(told, "pages_failed_total", error="ObjectNotFound") == 1
        ends = {
            dict(labels)["error"]: n
            for (name, labels), n in told.items()
            if name.endswith("finished_total")
        }
        assert ends == {"": 2, "UnsupportedFormat": 1, "ObjectNotFound": 1}

    def test_a_page_that_cannot_be_split_is_counted(
        self, settings: Settings, stages: Stages
    ) -> None:
        damaged = png(draw_lines(2))
        stages.submit(damaged[: len(damaged) // 2])
        stages.run()
        with open_api(settings) as api:
            assert value(scraped(api), "pages_failed_total", error="DamagedPage") == 1

    def test_what_is_sent_again(self, settings: Settings, stages: Stages) -> None:
        stages.submit(PDF[1][1], PDF[1][1])
        with stages.context.database.writing() as session:
            leases.claim(session, Document, stages.queue.splits[0], message_id="m", duration_s=60.0)
        stages.set(Document, due_at=time.time() - 1)
        queue = ListDispatch()
        with open_api(settings) as api:
            look_after(stages.context.database, settings, queue)
            assert sorted(queue.splits) == sorted(stages.queue.splits)
            assert value(scraped(api), "work_sent_again_total") == 1
            stages.set(Document, due_at=time.time() - 1)
            look_after(stages.context.database, settings, queue)
            assert len(queue.splits) == 4
            assert value(scraped(api), "work_sent_again_total") == 1

    def test_what_a_newer_hwr_counts_is_passed_over(
        self, api: httpx.Client, settings: Settings
    ) -> None:
        open_counts(settings).add(Event.PAGES_READ, "abc", by=3)
        open_counts(settings)._redis.hincrby(KEY, "pages_praised x", 1)
        assert value(scraped(api), "pages_read_total", model="abc") == 3

    def test_a_redis_that_is_away_costs_no_page(self, tmp_path: Path) -> None:
        away = make_settings(tmp_path, "redis://127.0.0.1:1/0")
        open_counts(away).add(Event.PAGES_READ, "abc")


def test_the_guide_names_every_metric_and_no_other(api: httpx.Client) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    shown = {re.sub(r"_(total|count)$", "", name) for name in re.findall(r"\bhwr_[a-z_]+\b", guide)}
    api.get("/healthz")
    told = api.get("/metrics", headers=TOKEN).text
    assert shown == {family.name for family in text_string_to_metric_families(told)}


def test_the_guide_s_rules_are_yaml() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    rules = next(b for b in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "groups" in b)
    assert all(
        rule.keys() >= {"alert", "expr"} for rule in yaml.safe_load(rules)["groups"][0]["rules"]
    )


class TestOutages:
    def test_a_database_that_is_away_is_told(self, tmp_path: Path, settings: Settings) -> None:
        url = "postgresql+psycopg://hwr@127.0.0.1:1/hwr"
        with open_api(settings.model_copy(update={"database_url": url})) as api:
            told = scraped(api)
        assert (value(told, "database_up"), value(told, "redis_up")) == (0, 1)
        assert "hwr_documents_unfinished" not in names(told)
        assert value(told, "queue_messages", queue="publish") == 0

    def test_a_redis_that_is_away_is_told(self, settings: Settings) -> None:
        make_tables(settings)
        away = {"redis_url": "redis://127.0.0.1:1/0"}
        with open_api(settings.model_copy(update=away)) as api:
            told = scraped(api)
        assert (value(told, "database_up"), value(told, "redis_up")) == (1, 0)
        assert "hwr_queue_messages" not in names(told)
        assert value(told, "pages_unfinished", state="queued") == 0

    def test_a_database_that_hangs_is_asked_once_and_not_waited_for(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(latest, "PATIENCE_S", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(0.2)
            url = f"postgresql+psycopg://hwr@127.0.0.1:{silent.getsockname()[1]}/hwr"
            with open_api(settings.model_copy(update={"database_url": url})) as api:
                assert [value(scraped(api), "database_up") for _ in range(2)] == [0, 0]
                with silent.accept()[0], pytest.raises(TimeoutError):
                    silent.accept()

    def test_frequent_scrapes_cost_the_servers_nothing(
        self, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(latest, "FRESH_S", 600.0)
        before = scraped(api)
        api.post("/v1/jobs", files=[PDF], headers=BANK)
        after = scraped(api)
        for name in ("documents_unfinished", "queue_messages"):
            told = [{key: n for key, n in s.items() if name in key[0]} for s in (before, after)]
            assert told[0] == told[1]


class TestRequests:
    def count(self, api: httpx.Client, route: str, method: str, status: str) -> float:
        name = "http_request_duration_seconds_count"
        return value(scraped(api), name, route=route, method=method, status=status)

    def test_they_are_counted_by_route_and_not_by_address(self, api: httpx.Client) -> None:
        for job in ("a", "b"):
            api.get(f"/v1/jobs/{job}", headers=BANK)
        api.post("/v1/jobs", files=[PDF], headers=BANK)
        assert self.count(api, "/v1/jobs/{job_id}", "GET", "4xx") == 2
        assert self.count(api, "/v1/jobs", "POST", "2xx") == 1
        assert self.count(api, "/metrics", "GET", "2xx") == 2

    def test_what_clients_make_up_is_no_label(self, api: httpx.Client) -> None:
        for path in ("/a", "/b"):
            api.request("BREW", path)
        assert self.count(api, "none", "other", "4xx") == 2

    def test_a_failure_of_ours_is_counted(
        self, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(jobs, "view", fail)
        api.get("/v1/jobs/x", headers=BANK)
        assert self.count(api, "/v1/jobs/{job_id}", "GET", "5xx") == 1

    def test_an_answer_that_is_cut_off_is_a_failure_of_ours(
        self, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def half(*_: object) -> Iterator[str]:
            yield "{"
            raise JobNotFound

        address = f"{api.post('/v1/jobs', files=[PDF], headers=BANK).headers['location']}/results"
        monkeypatch.setattr(api_results, "result_chunks", half)
        with pytest.raises(httpx.RemoteProtocolError):
            api.get(address, headers=BANK)
        assert self.count(api, "/v1/jobs/{job_id}/results", "GET", "5xx") == 1

    def test_what_fails_after_the_answer_is_no_second_request(
        self, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Sending, "begin", fail)
        assert httpx.post(api.base_url.join("/v1/jobs"), files=[PDF], headers=BANK).is_success
        told = scraped(api)
        name = "hwr_http_request_duration_seconds_count"
        posted = [labels for key, labels in told if key == name and ("method", "POST") in labels]
        assert [dict(labels)["status"] for labels in posted] == ["2xx"]

    def test_the_version_is_told(self, api: httpx.Client) -> None:
        assert value(scraped(api), "build_info", version=__version__) == 1
