"""What a PostgreSQL that is locked or cuts connections off costs a page: time, and no try."""

from pathlib import Path
from typing import Any

import pytest
from pipeline import draw_lines, png
from sqlalchemy import text
from stage_bench import Stages, open_stages

from workers import fan_in
from workers.database import Database, State

#: No statement waits long for a lock.
HURRY = "?options=-c%20lock_timeout%3D100"

CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid != pg_backend_pid()
"""


def read_locked(stages: Stages, other: Database, page_id: int) -> None:
    with other.writing() as session:
        session.execute(text("LOCK TABLE lines"))
        stages.read(page_id)


def read_cut_off(stages: Stages, other: Database, page_id: int) -> None:
    count_page = fan_in.count_page

    def cut_off(*arguments: Any, **options: Any) -> bool:
        complete = count_page(*arguments, **options)
        with other.writing() as session:
            session.execute(text(CUT_OFF))
        return complete

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fan_in, "count_page", cut_off)
        stages.read(page_id)


@pytest.mark.parametrize("read", [read_locked, read_cut_off])
def test_it_costs_a_page_no_try(postgres_url: str, tmp_path: Path, read: Any) -> None:
    other = Database(postgres_url)
    with open_stages(tmp_path, database_url=postgres_url + HURRY, max_attempts=1) as stages:
        job_id = stages.submit(png(draw_lines(1)))
        stages.split()
        for _ in range(3):
            read(stages, other, stages.queue.reads[0][0])
            (page,) = stages.pages()
            assert (page.attempts, page.lease_token, page.suspected) == (0, None, False)
        stages.run()
        assert stages.view(job_id).state == State.DONE
    other.close()
