"""The services of compose/hub.yaml and compose/operator.yaml as processes of this machine: their commands, their health checks."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.compose_shape import Compose, load

COMPOSE = Path(__file__).parents[2] / "compose"
OURS = ("worker", "watch", "recorder", "web")
PATIENCE_S = 240.0


def services(file):
    """The services of a compose file by name."""
    return Compose.model_validate(load((COMPOSE / file).read_text(encoding="utf-8"))).services


class Processes:
    """Every process of the hub and of its operators, started as compose would; a context manager.

    Args:
        home: the hub's folder; its hub.toml names database and broker.
    """

    def __init__(self, home):
        self.home = home
        self.environment = {**os.environ, "RELAYHUB_HOME": str(home.folder)}
        self.running = {}
        self.checks = {}

    def __enter__(self):
        prepare = services("hub.yaml")["prepare"]
        subprocess.run([sys.executable, "-m", *prepare.command], env=self.environment, check=True, capture_output=True)
        for name in OURS:
            self._start(name, services("hub.yaml")[name], {})
        for config in sorted(self.home.operators.glob("*/operator.toml")):
            place = {"/hub/operator.toml": str(config)}
            self._start(f"operator {config.parent.name}", services("operator.yaml")["operator"], place)
        return self

    def _start(self, name, service, places):
        log = self.home.run / f"{name}.by-hand.log"
        with log.open("ab") as output:
            words = [places.get(word, word) for word in service.command]
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *words], env=self.environment, stdout=output, stderr=output
            )
        self.checks[name] = [places.get(word, word) for word in service.healthcheck.test[2:]]

    def healthy(self):
        """Wait until every health check of the compose files passes; returns the seconds that it took.

        Raises:
            AssertionError: a process ended, or its check never passes; the text says what it said.
        """
        began, waiting = time.monotonic(), dict(self.checks)
        while waiting:
            for name, words in list(waiting.items()):
                done = subprocess.run(
                    [sys.executable, *words], env=self.environment, capture_output=True, text=True, check=False
                )
                if done.returncode == 0:
                    del waiting[name]
                elif self.running[name].poll() is not None or time.monotonic() - began > PATIENCE_S:
                    said = (self.home.run / f"{name}.by-hand.log").read_text(errors="replace")[-2_000:]
                    raise AssertionError(f"{name} is not healthy: {done.stderr.strip()}\n{said}")
        return time.monotonic() - began

    def stop(self):
        """Stop everything as `docker stop` does; returns the exit codes by name."""
        for process in self.running.values():
            process.terminate()
        return {name: process.wait(PATIENCE_S) for name, process in self.running.items()}

    def __exit__(self, *_):
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
