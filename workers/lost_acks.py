"""Notice acknowledgements that Redis never got, before the worker goes deaf over them.

When Redis is away at the moment a task ends, kombu (5.7) logs "Couldn't ack" and goes on counting
the message as being worked on. Once that has used up the prefetch count, the worker asks for no
message, and so never finds out either that its connection is gone: it stays up and does nothing,
even when Redis is back. A new connection starts to count afresh.
"""

from typing import Any

from celery import bootsteps
from celery.worker import state

#: Seconds between two looks; what is unacknowledged and nobody's work in both was lost. The way
#: from a task's end to its acknowledgement takes milliseconds.
LOOK_S = 2.0


class LostAcks(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
    """Has the worker connect again after an acknowledgement was lost."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._suspects: set[str] = set()

    def register_with_event_loop(self, consumer: Any, hub: Any) -> None:
        """Called by Celery for each new connection."""
        self._suspects = set()
        hub.call_repeatedly(LOOK_S, self._look, consumer)

    def _look(self, consumer: Any) -> None:
        suspects = unacknowledged(consumer) - at_work()
        lost = suspects & self._suspects
        self._suspects = suspects
        if lost:
            raise ConnectionError(f"{len(lost)} messages could not be acknowledged")


def unacknowledged(consumer: Any) -> set[str]:
    """Tags of the messages that were received and count against the prefetch count."""
    qos = consumer.task_consumer.channel.qos
    received: set[str] = set(qos._delivered)
    return received.difference(qos._dirty)


def at_work() -> set[str]:
    """Tags of the messages whose tasks wait or run."""
    # Threads of the pool change the set, which therefore cannot be walked through; to copy what is
    # behind it is a single step.
    references = state.reserved_requests.data.copy()
    requests = (reference() for reference in references)
    return {request.message.delivery_tag for request in requests if request is not None}
