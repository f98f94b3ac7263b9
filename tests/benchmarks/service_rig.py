"""The whole service for the benchmark: real servers and workers as processes, and what each costs.

Whoever starts it pins itself to cores first: every process inherits that.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import Popen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
import psycopg
import services

from hwr.states import FINAL_STATES
from workers.client import Client, Json
from workers.processes import free_port, spawn, stop, tail

#: Seconds until all parts must be ready, and until a job that did not end is taken for stuck.
START_S, PATIENCE_S = 90.0, 900.0

#: Seconds between two looks, as the service asks its clients for.
LOOK_S = 1.0

#: Kernel ticks a second, in which CPU time is counted.
TICKS = os.sysconf("SC_CLK_TCK")

#: Programs of the servers, as their processes are named.
SERVERS = {
    "redis-server": "Redis",
    "valkey-server": "Redis",
    "postgres": "PostgreSQL",
    "weed": "S3 server",
}

#: Seconds of CPU, or bytes, by the name of a part.
ByPart = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A service that is ready."""

    #: Its user.
    client: Client
    #: Its database.
    database_url: str
    #: Its processes by name.
    parts: Mapping[str, Popen[bytes]]

    def submit(self, files: Sequence[Path], copies: int) -> list[str]:
        """Submit the files as so many jobs; their ids."""
        return [self.client.submit(files)["id"] for _ in range(copies)]

    def finish(self, job_ids: Sequence[str]) -> tuple[float, int]:
        """Wait until the jobs have ended: when the last one did (time.time()), and their lines."""
        return self._wait(job_ids, time.monotonic() + PATIENCE_S)

    def split(self, pages: int) -> None:
        """Wait until the database has so many pages."""
        end = time.monotonic() + PATIENCE_S
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            while self._pages(connection) < pages:
                _check(time.monotonic() < end, "the pages were not split")
                time.sleep(LOOK_S)

    def pages(self) -> int:
        """Pages that the database has."""
        with psycopg.connect(self.database_url) as connection:
            return self._pages(connection)

    @contextmanager
    def paused(self, role: str) -> Iterator[None]:
        """Hold the workers of a role."""
        self._signal(role, signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(role, signal.SIGCONT)

    def cpu(self) -> ByPart:
        """CPU seconds that each part has used since it was started."""
        return _by_part(self._processes(), cpu_seconds, sum)

    def peak(self) -> ByPart:
        """The most bytes that any process of each part was resident with."""
        return _by_part(self._processes(), peak_bytes, max)

    def _wait(self, job_ids: Sequence[str], end: float) -> tuple[float, int]:
        left, finished, lines = list(job_ids), 0.0, 0
        while left:
            job = self.client.job(left[0])
            if job["state"] not in FINAL_STATES:
                _check(time.monotonic() < end, "a job did not end")
                time.sleep(LOOK_S)
                continue
            _check(job["state"] == "done", f"a job ended as {job['state']}")
            finished, lines = max(finished, _timestamp(job)), lines + job["lines_done"]
            left.pop(0)
        return finished, lines

    def _signal(self, role: str, number: signal.Signals) -> None:
        for name, process in self.parts.items():
            if name.startswith(role):
                os.killpg(process.pid, number)

    def _processes(self) -> Iterator[tuple[str, int]]:
        """Every process of the service with the name of its part."""
        roles = {process.pid: name.split(" ")[0] for name, process in self.parts.items()}
        for root in children(os.getpid()):
            name = roles.get(root) or SERVERS.get(program(root))
            if name is None:
                continue
            yield name, root
            # The main process of a split worker only passes messages on: its processes work.
            below = "split process" if name == "split" else name
            yield from ((below, pid) for pid in descendants(root))

    @staticmethod
    def _pages(connection: "psycopg.Connection[tuple[int]]") -> int:
        row = connection.execute("SELECT count(*) FROM pages").fetchone()
        return row[0] if row else 0


@contextmanager
def run_rig(folder: Path, workers: int) -> Iterator[Rig]:
    """Redis, PostgreSQL, S3, one API and so many split and read workers, ready for work."""
    with ExitStack() as stack:
        redis_url = stack.enter_context(services.run_redis(folder))
        database_url = stack.enter_context(services.run_postgres())
        s3 = stack.enter_context(services.run_s3(folder))
        port = free_port()
        environment = s3.environment() | {
            "HWR_REDIS_URL": redis_url,
            "HWR_DATABASE_URL": database_url,
            "HWR_STORAGE_URL": f"s3://{s3.bucket}/bench",
            "HWR_S3_ENDPOINT_URL": s3.endpoint_url,
            "HWR_API_PORT": str(port),
        }
        parts: dict[str, Popen[bytes]] = {}

        def stop_parts() -> None:
            for part in parts.values():
                stop(part, patience_s=10)

        stack.callback(stop_parts)
        names = ["api"] + [f"{role} {n}" for n in range(workers) for role in ("split", "read")]
        for name in names:
            parts[name] = _start(name, folder, environment)
        client = stack.enter_context(Client(f"http://127.0.0.1:{port}"))
        _await_ready(client.url, folder, parts)
        plain = database_url.replace("+psycopg", "")
        yield Rig(client=client, database_url=plain, parts=parts)


def _start(name: str, folder: Path, environment: dict[str, str]) -> Popen[bytes]:
    role = name.split(" ")[0]
    command = ["workers", "api"] if role == "api" else ["workers.worker", role]
    ready = {"HWR_READY_FILE": str(folder / f"{name}.ready")}
    log = folder / f"{name}.log"
    return spawn([sys.executable, "-m", *command], log=log, environment=environment | ready)


def _await_ready(url: str, folder: Path, parts: Mapping[str, Popen[bytes]]) -> None:
    end = time.monotonic() + START_S
    while not _ready(url, folder, len(parts) - 1):
        for name, part in parts.items():
            log = folder / f"{name}.log"
            _check(part.poll() is None and time.monotonic() < end, f"{name}:\n{tail(log, 20)}")
        time.sleep(LOOK_S)


def _ready(url: str, folder: Path, workers: int) -> bool:
    try:
        api = httpx.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False
    return api and len(list(folder.glob("*.ready"))) == workers


def _check(well: bool, complaint: str) -> None:
    if not well:
        raise RuntimeError(complaint)


def _timestamp(job: Json) -> float:
    return datetime.fromisoformat(job["finished"]).timestamp()


# ---- processes


def _by_part(
    processes: Iterable[tuple[str, int]],
    of: Callable[[int], float],
    join: Callable[[list[float]], float],
) -> ByPart:
    found: dict[str, list[float]] = {}
    for name, pid in processes:
        found.setdefault(name, []).append(of(pid))
    return {name: join(values) for name, values in found.items()}


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and of those it has waited for; 0 once it is gone."""
    try:
        # user, system, and both of the children; the name before may hold blanks
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def peak_bytes(pid: int) -> float:
    """The most bytes a process was resident with; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("VmHWM"))


def program(pid: int) -> str:
    """The name of a process; empty once it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        lists = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for text in lists for child in text.split()]


def descendants(pid: int) -> Iterator[int]:
    """Everything below a process."""
    for child in children(pid):
        yield child
        yield from descendants(child)
