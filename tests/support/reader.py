"""A reader of the documents who types every command that is shown and compares what comes with what is printed there.

In a block ```` ```console run ```` a line that begins with `$ ` is a command (a backslash at its end goes on), one that ends with `&`
runs on in the background, and the lines below it are what it shows. Compared loosely: hexadecimal and decimal numbers may be any,
runs of blanks are alike, `…` stands for whatever there is. An id that was shown earlier may be typed later, or the beginning of it.
In ```` ```console exact ```` the output is compared to the letter; ```` ```console refused ```` expects exit code 2.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from adapters.loopback_ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240.0
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = ("console", "bash", "sh", "shell")
PORT = re.compile(r"\b860\d\b")
HEXADECIMAL = re.compile(r"0x[0-9a-f]{4,}")
TOKEN = re.compile(r"(?P<any>…)|(?P<hex>0x[0-9a-f]{4,}…?)|(?P<number>\d[\d.,]*)|(?P<blank>\s+)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the word after it, and its text."""

    language: str
    mark: str
    text: str

    def commands(self):
        """(command, what is shown below it), in order."""
        found = []
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                found.append([line[2:], []])
            elif found:
                found[-1][1].append(line)
        return [(command, "\n".join(shown).strip()) for command, shown in found]


def blocks(path):
    """The fenced blocks of a document."""
    return [Block(*match) for match in BLOCK.findall(path.read_text(encoding="utf-8"))]


def pattern(shown):
    """What is shown as a regular expression; each hexadecimal number is a group."""
    parts, place = [], 0
    for match in TOKEN.finditer(shown):
        parts.append(re.escape(shown[place : match.start()]))
        if match["any"]:
            parts.append(".*?")
        elif match["hex"]:
            parts.append("(0x[0-9a-f]+)")
        else:
            parts.append(r"\d[\d.,]*" if match["number"] else r"\s+")
        place = match.end()
    parts.append(re.escape(shown[place:]))
    return re.compile("".join(parts), re.DOTALL)


class Reader:
    """Types the commands of documents in a folder of its own, with ports of its own."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="rh-docs-"))
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RELAYHUB_")}
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.ports, self.ids, self.background = {}, {}, []

    def port(self, shown):
        """The port that stands for one that a document shows."""
        return self.ports.setdefault(str(shown), free_port())

    def read(self, path):
        """Type the commands of a document, one after another."""
        for block in blocks(path):
            self.read_block(block)

    def read_block(self, block):
        """Type the commands of a block, if it is one of commands to be typed."""
        if block.language in COMMANDS and block.mark:
            for command, shown in block.commands():
                self.type(command, shown, block.mark)

    def json(self, command):
        """What a command prints, as JSON."""
        return json.loads(self.type(command))

    def stage(self, identifier):
        """The stage of a message; empty while the hub has not seen it."""
        words = ["relayhub", "trace", identifier, "--json"]
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False)
        return json.loads(done.stdout)[0]["stage"] if done.returncode == 0 else ""

    @staticmethod
    def wait(condition):
        """Wait, with a generous ceiling, until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def type(self, command, shown="", mark="run"):
        """Type one command and compare what it shows; returns its output."""
        typed = PORT.sub(lambda match: str(self.port(match[0])), HEXADECIMAL.sub(self._known, command))
        if typed.endswith("&"):
            return self._start(typed.removesuffix("&").strip(), shown)
        if typed.startswith("export "):
            name, _, value = typed.removeprefix("export ").partition("=")
            self.environment[name] = value
            return ""
        done = subprocess.run(
            ["bash", "-c", typed],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == (2 if mark == "refused" else 0), f"$ {typed}\n{done.stdout}"
        self._compare(typed, shown, done.stdout, exact=mark == "exact")
        return done.stdout

    def _compare(self, typed, shown, output, *, exact=False):
        if exact:
            assert output.strip() == shown, f"$ {typed}\n{output}"
            return
        match = pattern(shown).search(output)
        assert match, f"$ {typed}\nshows\n{output}\nand the document\n{shown}"
        documented = [word.rstrip("…") for word in re.findall(r"0x[0-9a-f]{4,}…?", shown)]
        self.ids.update(zip(documented, match.groups(), strict=True))

    def _known(self, match):
        typed = match[0]
        return next((real[: len(typed)] for shown, real in self.ids.items() if shown.startswith(typed)), typed)

    def _start(self, typed, shown):
        log = self.folder / f"background-{len(self.background)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {typed}"],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                preexec_fn=hears_interrupts,  # noqa: PLW1509 - no thread of ours runs yet
            )
        self.background.append(process)
        wanted, deadline = pattern(shown), time.monotonic() + PATIENCE_S
        while not wanted.search(log.read_text()):
            on_time = process.poll() is None and time.monotonic() < deadline
            assert on_time, f"$ {typed}\n{log.read_text()}"
            time.sleep(0.05)
        return log.read_text()

    def close(self):
        """Stop every hub and everything in the background."""
        for home in [path.parent for path in self.folder.glob("**/hub.toml")]:
            subprocess.run(["relayhub", "down", "--home", home], env=self.environment, capture_output=True, check=False)
        for process in self.background:
            process.send_signal(signal.SIGINT)
        for process in self.background:
            process.wait(PATIENCE_S)
        shutil.rmtree(self.folder)


def hears_interrupts():
    """What a person's shell gives a command: Ctrl-C ends it, also where these tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
