"""A PostgreSQL cluster of the tests' own: made in a temporary folder, on a Unix socket only, gone at the end."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

PATIENCE_S = 60.0


def server_binaries():
    """The folder of `initdb` and `postgres` on this machine, or None: on the PATH, or where Debian's packages put them."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None)


def _account():
    """PostgreSQL refuses to run as root: then as `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in known else "nobody"
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


class PostgresqlCluster:
    """A running server; `database()` makes an empty database and returns its SQLAlchemy URL."""

    def __init__(self):
        self._numbers = itertools.count(1)
        binaries, account = server_binaries(), _account()
        self.folder = Path(tempfile.mkdtemp(prefix="rhpg-"))
        if account:
            shutil.chown(self.folder, account["user"], account["group"])
        data, log = self.folder / "data", self.folder / "log"
        options = {"cwd": self.folder, "env": {"LC_ALL": "C", "PATH": os.environ["PATH"]}, **account}
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "relayhub", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            **options,
        )
        with log.open("wb") as output:
            self.server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", self.folder, "-c", "listen_addresses=", "-c", "fsync=off"],
                stdout=output,
                stderr=output,
                **options,
            )
        self._wait(log)

    def _wait(self, log):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.server.poll() is None:
            try:
                psycopg.connect(host=str(self.folder), user="relayhub", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")

    def database(self):
        """An empty database."""
        name = f"hub_{next(self._numbers)}"
        with psycopg.connect(host=str(self.folder), user="relayhub", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://relayhub@/{name}?host={self.folder}"

    def close(self):
        """Stop the server, whoever is still connected, and remove the folder."""
        self.server.send_signal(signal.SIGINT)
        try:
            self.server.wait(PATIENCE_S)
        finally:
            self.server.kill()
            self.server.wait()
            shutil.rmtree(self.folder)
