"""`hwr up`: the whole service on one machine, in the processes that servers run.

API, split worker and read worker are children of this process, and so is an embedded Redis. Nobody
outlives it: it waits for them at the end, and should it be killed, the kernel kills them too.
"""

import fcntl
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hwr.errors import PortTaken, ServerFailed, ServiceRunning
from workers.address import address_file, find_url, write_address
from workers.embedded_redis import EmbeddedRedis
from workers.processes import kill, last_words, put_aside, spawn
from workers.settings import get_settings

#: Seconds until all must be ready: loading an engine and the model is most of it.
_START_S = 120.0

#: Seconds between two looks at the children.
_LOOK_S = 0.2

#: Seconds that the API gets for its open requests, then workers for what they hold: more than its
#: own patience, and than a worker takes for its soft shutdown.
_API_DRAIN_S, _DRAIN_S = 60.0, 40.0

#: A part that ends more often than this within the time in seconds is broken, not unlucky.
_RESTARTS, _RESTARTS_WITHIN_S = 3, 60.0

#: What the parts run, by name. The API ends first, so that no new job comes in.
_COMMANDS = {
    "api": ("workers", "api"),
    "split": ("workers.worker", "split"),
    "read": ("workers.worker", "read"),
}

#: Tells the user something.
Say = Callable[[str], None]


def up(data: Path, port: int, say: Say) -> None:
    """Run the service until SIGINT or SIGTERM; a second one does not wait for work in progress.

    Raises:
        ServiceRunning: another one has the folder.
        PortTaken: another program has the port.
        ServerFailed: a part cannot start or keeps ending.
    """
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    host = get_settings().api_host
    with _locked(data), _signals() as (stopping, hurrying):
        _check_port(host, port)
        service = _Service(data, host, port, say)
        try:
            service.start(stopping)
            service.watch(stopping)
        finally:
            say("ending …")
            service.end(hurrying)


class _Service:
    """The parts and their Redis."""

    def __init__(self, data: Path, host: str, port: int, say: Say) -> None:
        self._data = data
        self._say = say
        self._url = url_of(host, port)
        self._redis = EmbeddedRedis(data / "redis")
        self._redis_starts = _Starts("redis", self._redis.log)
        self._parts: list[_Part] = []
        self._environment = {
            "HWR_DATABASE_URL": f"sqlite:///{data / 'hwr.db'}",
            "HWR_STORAGE_URL": f"file:{data / 'store'}",
            "HWR_MODEL_CACHE": str(data / "models"),
            "HWR_API_HOST": host,
            "HWR_API_PORT": str(port),
        }

    def start(self, stopping: threading.Event) -> None:
        """Start everything and wait until it is ready, or until told to stop."""
        self._redis.start()
        self._environment["HWR_REDIS_URL"] = self._redis.url
        for name in _COMMANDS:
            self._parts.append(_Part(name, self._data, self._environment))
        deadline = time.monotonic() + _START_S
        while not self._ready() and not stopping.wait(_LOOK_S):
            self._check_alive()
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"Not ready after {_START_S:.0f} s. See in {self._data}/*.log what it waits"
                    " for, or start it again when less runs on this machine."
                )
        if not stopping.is_set():
            write_address(self._data, self._url)
            self._say(f"hwr is ready at {self._url} (data in {self._data}). Ctrl-C ends it.")

    def watch(self, stopping: threading.Event) -> None:
        """Start again what ends and keep logs short, until told to stop."""
        while not stopping.wait(_LOOK_S):
            self._revive()
            for log in (self._redis.log, *(part.log for part in self._parts)):
                put_aside(log)

    def end(self, hurrying: threading.Event) -> None:
        """Let the API, then the workers finish what they hold; stop Redis last."""
        address_file(self._data).unlink(missing_ok=True)
        for parts, drain_s in ((self._parts[:1], _API_DRAIN_S), (self._parts[1:], _DRAIN_S)):
            deadline = time.monotonic() + drain_s
            for part in parts:
                part.process.terminate()
            while any(part.alive() for part in parts) and time.monotonic() < deadline:
                if hurrying.wait(_LOOK_S / 4):
                    break
            for part in parts:
                kill(part.process)
        self._redis.stop()

    def _ready(self) -> bool:
        return all(part.ready_file.exists() for part in self._parts[1:]) and self._api_ready()

    def _api_ready(self) -> bool:
        try:
            return httpx.get(f"{self._url}/readyz", timeout=5).is_success
        except httpx.TransportError:
            return False

    def _check_alive(self) -> None:
        for part in self._parts:
            if not part.alive():
                raise ServerFailed(f"{part.name} cannot start. {last_words(part.log)}")

    def _revive(self) -> None:
        if not self._redis.alive():
            self._redis_starts.count()
            self._say("redis ended, starting it again")
            self._redis.restart()
        for part in self._parts:
            if not part.alive():
                self._say(f"{part.name} {part.how_ended()}, starting it again (see {part.log})")
                part.restart()


class _Starts:
    """Counts how often something had to be started again."""

    def __init__(self, name: str, log: Path) -> None:
        self._name = name
        self._log = log
        self._times: list[float] = []

    def count(self) -> None:
        """Note one more. Raises ServerFailed when these are too many in a short time."""
        now = time.monotonic()
        self._times = [then for then in self._times if now - then < _RESTARTS_WITHIN_S] + [now]
        if len(self._times) > _RESTARTS:
            raise ServerFailed(f"{self._name} keeps ending. {last_words(self._log)}")


class _Part:
    """One child: the API or a worker."""

    def __init__(self, name: str, data: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.log = data / f"{name}.log"
        self.ready_file = data / f".{name}.ready"
        self._environment = environment | {"HWR_READY_FILE": str(self.ready_file)}
        self._starts = _Starts(name, self.log)
        self.process = self._spawn()

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def how_ended(self) -> str:
        """What became of it: who was killed, for want of memory, say, has not told its log."""
        status = self.process.returncode
        return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"

    def restart(self) -> None:
        """Start it again after it ended. Raises ServerFailed when that happens too often."""
        self._starts.count()
        kill(self.process)  # children of its own that it left behind
        self.process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.ready_file.unlink(missing_ok=True)
        # -P: what lies in the folder where the user stands is no module of ours.
        command = [sys.executable, "-P", "-m", *_COMMANDS[self.name]]
        return spawn(command, log=self.log, environment=self._environment)


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Hold the folder; the lock goes with the process, however that ends."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ServiceRunning(
                f"A service runs on {data} at {find_url(None, data)}. "
                "Use that one, or another folder with --data."
            ) from error
        yield


@contextmanager
def _signals() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Events that the first and the second SIGINT or SIGTERM set."""
    stopping, hurrying = threading.Event(), threading.Event()

    def handle(*_: object) -> None:
        (hurrying if stopping.is_set() else stopping).set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping, hurrying
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def url_of(host: str, port: int) -> str:
    """Where the API is; an address of IPv6 stands in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"The API cannot listen at {host}:{port} ({error.strerror}). "
                "Choose another port with --port, or correct HWR_API_HOST."
            ) from error
