"""Debian's redis-server and rabbitmq-server, each run by hand in a temporary folder: with a password, and on 127.0.0.1 alone."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from adapters.loopback_ports import free_port
from tests.support.debian import needs

PATIENCE_S = 240.0
RABBITMQ_SCRIPT = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""Behind Debian's wrapper, which would change to the user rabbitmq and its folders."""


class Redis:
    """A redis-server with the lines that compose/README.md has for valkey.conf; `kill` and `start` as a machine would.

    Attributes:
        url: Celery's.
    """

    name = "redis"

    def __init__(self):
        self.program = str(needs("redis-server"))
        self.folder = Path(tempfile.mkdtemp(prefix="rhredis-"))
        self.port, password = free_port(), secrets.token_hex(16)
        self.url = f"redis://:{password}@127.0.0.1:{self.port}/0"
        self.file = self.folder / "redis.conf"
        self.file.touch(mode=0o600)
        self.file.write_text(
            f'save ""\nappendonly no\nmaxmemory 192mb\nmaxmemory-policy noeviction\nrequirepass {password}\n'
            f"bind 127.0.0.1\nport {self.port}\ndir {self.folder}\n"
        )
        self.process = None
        self.start()

    def start(self):
        words = [self.program, str(self.file)]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait("redis-server", self.process, self._accepts)

    def _accepts(self):
        socket.create_connection(("127.0.0.1", self.port), timeout=1).close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder)


class RabbitMq:
    """A rabbitmq-server on 127.0.0.1 with its own port mapper, cookie and folder.

    Attributes:
        url: Celery's.
    """

    name = "rabbitmq"

    def __init__(self):
        needs("rabbitmq-server")
        self.folder = Path(tempfile.mkdtemp(prefix="rhrabbit-"))
        self.port, password = free_port(), secrets.token_hex(16)
        self.url = f"amqp://relayhub:{password}@127.0.0.1:{self.port}//"
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\ndefault_user = relayhub\ndefault_pass = {password}\n"
            "loopback_users = none\nlog.file.level = warning\n"
        )
        (self.folder / "plugins").write_text("[].\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"relayhub{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",  # it may be told to end before it has seen that the killed node is gone
        }
        self.process = None
        self.start()

    def start(self):
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [RABBITMQ_SCRIPT],
                env=self.environment,
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait("rabbitmq-server", self.process, self._accepts)

    def _accepts(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.settimeout(5)
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            if not connection.recv(1):
                raise OSError

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)  # the Erlang machine is the script's child
        self.process.wait()

    def close(self):
        self.kill()
        subprocess.run(["epmd", "-kill"], env=self.environment, capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def wait(what, process, accepts):
    """Wait until a server accepts connections."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return accepts()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{what} did not start")
