"""What one pass of the reaper does for queues that Redis has lost, and that no pass is the last."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from api_bench import make_settings
from kombu.exceptions import OperationalError
from pipeline import two_pages
from stage_bench import Stages, open_stages

from workers import reaper
from workers.app import app
from workers.database import Document, Lane
from workers.dispatch import Dispatch
from workers.reaper import Reaper, look_after
from workers.settings import Settings


@pytest.fixture
def stages(tmp_path: Path, redis_url: str) -> Iterator[Stages]:
    """A document in its queue, and one of whose pages each is in its own, on an empty Redis."""
    with open_stages(tmp_path, redis_url=redis_url) as stages:
        stages.submit(two_pages())
        stages.split()
        stages.submit(two_pages())
        yield stages


def passes(stages: Stages, dispatch: Dispatch | None = None) -> bool:
    context = stages.context
    return look_after(context.database, context.settings, dispatch or stages.queue)


class TestLostQueues:
    def test_all_that_waited_is_sent_once_a_loss(self, stages: Stages) -> None:
        splits, reads = list(stages.queue.splits), list(stages.queue.reads)
        passes(stages)
        assert (stages.queue.splits, stages.queue.reads) == (2 * splits, 2 * reads)
        passes(stages)
        assert (stages.queue.splits, stages.queue.reads) == (2 * splits, 2 * reads)
        with redis.Redis.from_url(stages.context.settings.redis_url) as client:
            client.flushall()
        passes(stages)
        assert (stages.queue.splits, stages.queue.reads) == (3 * splits, 3 * reads)
        assert stages.queue.publishes == []  # of the document that waits for its pages

    def test_they_stay_lost_until_all_was_sent(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(document_id: str, lane: Lane) -> None:
            raise OperationalError

        with monkeypatch.context() as patch:
            patch.setattr(stages.queue, "split", away)
            with pytest.raises(OperationalError):
                passes(stages)
        assert reaper.queues_lost(stages.context.settings)


def test_a_full_batch_says_that_there_may_be_more(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes(stages)
    stages.set(Document, due_at=time.time() - 1)
    monkeypatch.setattr(reaper, "BATCH", 2)
    assert passes(stages)
    assert not passes(stages)


def test_whatever_happens_in_a_pass_the_next_one_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Exception | bool] = [ValueError(), redis.ConnectionError(), True, True, False]
    waited: list[int] = []

    def look(*_: object) -> bool:
        outcome = outcomes.pop(0)
        if not outcomes:
            thread.stop()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    settings: Settings = make_settings(tmp_path, "redis://127.0.0.1:1/0")
    thread = Reaper(app, settings)
    monkeypatch.setattr(reaper, "look_after", look)
    monkeypatch.setattr(thread._stopped, "wait", lambda _: waited.append(len(outcomes)))
    thread.run()
    assert waited == [4, 3, 0]
