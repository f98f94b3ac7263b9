"""Acknowledgements that Redis never got are noticed, work in progress is left alone."""

import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state

from workers.app import app
from workers.lost_acks import LostAcks, at_work


class Request:
    """A task that waits or runs."""

    def __init__(self, tag: str) -> None:
        self.id = tag
        self.message = SimpleNamespace(delivery_tag=tag)


@pytest.fixture(autouse=True)
def nothing_at_work() -> Iterator[None]:
    yield
    state.reserved_requests.clear()


@pytest.fixture
def look() -> Callable[[set[str], set[str]], None]:
    """Looks at a consumer that received the one and acknowledged the other."""
    looks: list[Any] = []
    hub = SimpleNamespace(call_repeatedly=lambda _, *call: looks.append(call))
    qos = SimpleNamespace()
    consumer = SimpleNamespace(task_consumer=SimpleNamespace(channel=SimpleNamespace(qos=qos)))
    LostAcks(consumer).register_with_event_loop(consumer, hub)
    ((function, *arguments),) = looks

    def run(received: set[str], acknowledged: set[str]) -> None:
        qos._delivered, qos._dirty = dict.fromkeys(received), acknowledged
        function(*arguments)

    return run


def test_celery_has_the_step() -> None:
    assert "workers.lost_acks:LostAcks" in app.steps["consumer"]


def test_a_message_nobody_works_on_is_lost(look: Callable[..., None]) -> None:
    look({"a", "b"}, {"b"})
    with pytest.raises(ConnectionError, match="1 messages"):
        look({"a", "b"}, {"b"})


def test_a_message_at_work_is_not_lost(look: Callable[..., None]) -> None:
    request = Request("a")
    state.reserved_requests.add(request)
    for _ in range(3):
        look({"a"}, set())


def test_threads_may_take_up_and_end_tasks_meanwhile() -> None:
    requests = [Request(str(number)) for number in range(1000)]
    state.reserved_requests.update(requests[1:])
    begun, looked = threading.Event(), threading.Event()

    def work() -> None:
        while not looked.is_set():
            begun.set()
            state.reserved_requests.add(requests[0])
            state.reserved_requests.discard(requests[0])

    switches, thread = sys.getswitchinterval(), threading.Thread(target=work)
    sys.setswitchinterval(1e-6)
    thread.start()
    begun.wait()
    try:
        seen = {len(at_work()) for _ in range(3000)}
    finally:
        sys.setswitchinterval(switches)
        looked.set()
        thread.join()
    assert seen <= {999, 1000}


def test_a_message_on_its_way_to_be_acknowledged_is_not_lost(look: Callable[..., None]) -> None:
    look({"a"}, set())
    look({"a", "b"}, {"a"})
    look({"b"}, {"b"})
