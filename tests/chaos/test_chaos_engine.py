"""An engine breaks in mid-job: its worker ends, and the next one reads everything."""

import sys
from pathlib import Path

from pipeline import draw_lines, quick_settings, run_service, tiff

from workers.database import State
from workers.processes import spawn
from workers.tasks import ENGINE_BROKEN


def test_a_worker_ends_with_its_engine(redis_url: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("breaking_worker.py")
    with run_service(tmp_path, quick_settings(tmp_path, redis_url)) as service:
        log = tmp_path / "breaking.log"
        command: list[str | Path] = [sys.executable, "-W", "default", script, "read"]
        breaking = spawn(command, log=log, environment=service.environment)
        service.workers.append(breaking)
        service.start("split")
        job_id = service.submit(tiff([draw_lines(2), draw_lines(3), draw_lines(1)]))
        assert breaking.wait(60) == ENGINE_BROKEN, service.logs()
        assert "EngineBroken: The engine cannot even read a blank line" in log.read_text()
        service.start("read")
        assert service.wait(job_id).state == State.DONE, service.logs()
        assert service.rows(job_id) == (3, 6)
