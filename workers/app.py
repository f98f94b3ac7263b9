"""Celery on Redis, told to lose nothing: settings, queues and what happens when workers start."""

import ssl

from celery import Celery
from kombu.utils.url import parse_url

from workers.database import Lane
from workers.dispatch import read_worker_queues, split_queue, split_worker_queues
from workers.settings import Settings, get_settings

#: Seconds that a split gets after SIGTERM before it is handed back; Celery always waits them out.
SOFT_SHUTDOWN_S = 3.0

#: Seconds that Redis may take to answer. The longest command, to wait for a message, takes one.
REDIS_ANSWER_S = 15

#: Split tasks end by themselves well before these parts of the visibility timeout: after the first
#: the task is interrupted, after the second its process is killed. Redis would hand the message to
#: another worker after the whole of it.
SOFT_LIMIT_PART, HARD_LIMIT_PART = 0.5, 0.75

#: Split processes are renewed after so many documents, or beyond so much memory (KiB), against
#: what native decoders leak.
DOCUMENTS_PER_PROCESS = 200
PROCESS_MEMORY_KIB = 1_500_000


def make_app(settings: Settings) -> Celery:
    """The Celery application for these settings."""
    app = Celery("hwr", broker=settings.redis_url, include=["workers.tasks"])
    app.conf.update(_configuration(settings))
    app.steps["consumer"].add("workers.lost_acks:LostAcks")
    return app


def _configuration(settings: Settings) -> dict[str, object]:
    visibility = {"visibility_timeout": settings.visibility_timeout_s}
    return {
        # Messages: JSON, acknowledged when the work is done, one at a time for each process.
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_retry_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "task_queues": {name: {} for name in queue_names()},
        "task_create_missing_queues": False,
        "task_default_queue": split_queue(Lane.NORMAL),
        # A message is redelivered after this; Celery reads it in three places.
        "visibility_timeout": settings.visibility_timeout_s,
        "result_backend_transport_options": visibility,
        "broker_transport_options": visibility | _transport_options(),
        # Where a rediss:// address says nothing of certificates, Celery alone would take any.
        "broker_use_ssl": _tls(settings.redis_url),
        # Redis may go away and come back, be full for a while, or only read.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.2},
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        # Ending.
        "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_S,
        "worker_max_tasks_per_child": DOCUMENTS_PER_PROCESS,
        "worker_max_memory_per_child": PROCESS_MEMORY_KIB,
        # Nobody listens to these.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
    }


def _tls(redis_url: str) -> dict[str, object] | None:
    if not redis_url.startswith("rediss:"):
        return None
    told: dict[str, object] = parse_url(redis_url).get("ssl", {})
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED} | told


def _transport_options() -> dict[str, object]:
    return {
        # Queues are asked in the order they are named on the worker's command line.
        "queue_order_strategy": "priority",
        # Lanes are queues, so each queue needs one list, not one for each of four priorities.
        "priority_steps": [0],
        "socket_connect_timeout": 5,
        # A Redis that vanished must not hold up the reaper, and with it forks, for minutes.
        "socket_timeout": REDIS_ANSWER_S,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }


def queue_names() -> tuple[str, ...]:
    """All queues."""
    return (*split_worker_queues(), *read_worker_queues())


app = make_app(get_settings())
