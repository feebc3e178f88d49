"""Receipts of a whole hub, judged by both verifiers in processes of their own that know nothing of the hub."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SECOND = Path(__file__).parents[2] / "docs" / "verify_receipt.py"


class ReceiptStack:
    """Files of one hub for strangers.

    Args:
        stack: the hub.
        folder: where the files go.
    """

    def __init__(self, stack, folder):
        self.stack, self.folder = stack, Path(folder)

    def anchors(self, name="anchors.toml"):
        """Trust anchors as they are now."""
        path = self.folder / name
        path.write_text(self.stack.run("anchors").stdout, encoding="utf-8")
        return path

    def receipt(self, identifier):
        """The receipt of a settled message, as soon as its leaves are in the log."""
        path = self.folder / f"{identifier}.json"

        def written():
            done = self.stack.run("receipt", identifier, check=False)
            path.write_text(done.stdout, encoding="utf-8")
            return done.returncode == 0

        self.stack.wait_until(f"the log has message {identifier}", written)
        return path

    def log_note(self, ledger, receipt):
        """What a ledger holds of the log, as soon as it holds something."""
        path = self.folder / f"{ledger}.note.json"

        def written():
            done = self.stack.run("log-note", ledger, "--receipt", str(receipt), check=False)
            path.write_text(done.stdout, encoding="utf-8")
            return done.returncode == 0

        self.stack.wait_until(f"{ledger} holds a note of the log", written)
        return path

    def verdicts(self, receipt, anchors, note=None):
        """For both verifiers, the hub's and the second: names of checks that fail, and of those that are not asked for."""
        words = [str(receipt), "--anchors", str(anchors), "--json", *(["--log-note", str(note)] if note else [])]
        first = self._judged([str(Path(sys.executable).parent / "relayhub"), "verify", *words], "verdict")
        return first, self._judged([sys.executable, str(SECOND), *words], "state")

    def _judged(self, command, key):
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False, timeout=120)
        assert done.returncode in (0, 2), done.stderr
        checks = json.loads(done.stdout)["checks"]
        found = {word: [check["name"] for check in checks if check[key].startswith(word)] for word in ("fail", "not")}
        return found["fail"], found["not"]
