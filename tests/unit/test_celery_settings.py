"""What Celery is told, because a wrong word there loses work."""

import logging
import os
import ssl
import sys

import pytest
from celery.app import trace
from celery.app.defaults import DEFAULTS
from celery.worker import state, strategy
from kombu.transport.redis import Transport

from workers import celery_worker as worker
from workers.app import _configuration, app, make_app, queue_names
from workers.celery_worker import arguments
from workers.role import Role
from workers.settings import Settings
from workers.tasks import split

SETTINGS = Settings(visibility_timeout_s=1234, split_processes=3, read_threads=5)


def test_the_visibility_timeout_stands_in_all_three_places() -> None:
    conf = make_app(SETTINGS).conf
    assert conf.visibility_timeout == 1234
    assert conf.broker_transport_options["visibility_timeout"] == 1234
    assert conf.result_backend_transport_options["visibility_timeout"] == 1234


def test_a_split_ends_before_redis_hands_it_to_another_worker() -> None:
    assert 0 < split.soft_time_limit < split.time_limit < Settings().visibility_timeout_s


def test_a_redis_that_vanished_does_not_hold_up_who_sends() -> None:
    limits = make_app(SETTINGS).conf.broker_transport_options
    assert 0 < limits["socket_connect_timeout"] < limits["socket_timeout"] <= 30
    assert Transport.brpop_timeout < limits["socket_timeout"]


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {"ssl_cert_reqs": ssl.CERT_REQUIRED}),
        ("?ssl_cert_reqs=required", {"ssl_cert_reqs": ssl.CERT_REQUIRED}),
        (
            "?ssl_ca_certs=/ca.pem",
            {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": "/ca.pem"},
        ),
        ("?ssl_cert_reqs=none", {"ssl_cert_reqs": ssl.CERT_NONE}),
    ],
)
def test_the_certificate_of_redis_is_looked_at(query: str, options: dict[str, object]) -> None:
    app = make_app(Settings(redis_url=f"rediss://:secret@redis.example:6380/0{query}"))
    assert app.conf.broker_use_ssl == options


def test_a_redis_without_tls_is_told_nothing_of_it() -> None:
    assert make_app(SETTINGS).connection_for_write().ssl is None


def test_messages_are_acknowledged_when_the_work_is_done() -> None:
    conf = make_app(SETTINGS).conf
    assert conf.task_acks_late
    assert conf.task_retry_on_worker_lost
    assert not conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]


def test_every_setting_is_one_that_celery_knows() -> None:
    told = _configuration(SETTINGS).keys() - {"visibility_timeout"}
    assert told <= DEFAULTS.keys()


@pytest.mark.parametrize(
    ("role", "pool", "size", "queues"),
    [
        (Role.SPLIT, "prefork", "3", "split.high,split,split.normal,split.low"),
        (Role.READ, "threads", "5", "publish,read.high,read.normal,read.low"),
    ],
)
def test_each_role_has_its_pool_and_queues(role: Role, pool: str, size: str, queues: str) -> None:
    line = arguments(role, SETTINGS)
    assert line[line.index("--pool") + 1] == pool
    assert line[line.index("--concurrency") + 1] == size
    assert line[line.index("--queues") + 1] == queues
    assert f"{role.value}-{os.getpid()}@%h" in line


def test_all_queues_have_a_worker() -> None:
    taken = [arguments(role, SETTINGS)[6].split(",") for role in Role]
    assert sorted(queue_names()) == sorted(queue for queues in taken for queue in queues)


@pytest.mark.parametrize("given", [[], ["publish"], ["read", "split"]])
def test_a_worker_without_a_role_says_which_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["worker", *given])
    with pytest.raises(SystemExit) as ended:
        worker.main()
    assert ended.value.code == 2
    assert "usage: python -m workers.worker [-h] {split,read}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stop", "terminate", "status"), [(None, None, 1), (0, None, 0), (3, None, 3), (None, 1, 0)]
)
def test_a_worker_that_ends_unasked_has_failed(
    monkeypatch: pytest.MonkeyPatch, stop: int | None, terminate: int | None, status: int
) -> None:
    for name in ("_prepare", "_connect_signals", "_load_reader"):
        monkeypatch.setattr(worker, name, lambda *_: None)
    monkeypatch.setattr(app, "worker_main", lambda *_: None)
    monkeypatch.setattr(state, "should_stop", stop)
    monkeypatch.setattr(state, "should_terminate", terminate)
    monkeypatch.setattr(sys, "argv", ["worker", "read"])
    with pytest.raises(SystemExit) as ended:
        worker.main()
    assert ended.value.code == status


@pytest.mark.parametrize("celery", [strategy.logger, trace.logger], ids=["came", "ended"])
def test_celery_tells_of_failures_but_not_of_each_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, celery: logging.Logger
) -> None:
    caplog.set_level(logging.INFO)
    for logger in (strategy.logger, trace.logger):
        monkeypatch.setattr(logger, "level", logging.NOTSET)
    worker._quieten()
    assert not celery.isEnabledFor(logging.INFO)
    assert celery.isEnabledFor(logging.WARNING)
