"""Metrics as Prometheus' own parser reads them, by name and labels."""

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from relay.metrics.exposition import KEPT_S, Exposition
from tests.support.filled_hub import FilledHub


@lru_cache(maxsize=1)
def _template():
    """An empty hub with its tables, made once: migrations take a third of a second."""
    folder = Path(tempfile.mkdtemp(prefix="relayhub-filled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    FilledHub(folder).store.close()
    return folder / "hub"


def filled_hub(folder):
    """A filled hub in a folder."""
    shutil.copytree(_template(), folder / "hub")
    return FilledHub(folder)


class Told:
    """What an exposition says.

    Args:
        text: the answer of `GET /metrics`.
    """

    def __init__(self, text):
        self.families = {family.name: family for family in text_string_to_metric_families(text.decode())}
        samples = [sample for family in self.families.values() for sample in family.samples]
        self.values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
        assert len(self.values) == len(samples), "no series stands twice"

    def get(self, name, **labels):
        """A value, or None where the series is absent."""
        return self.values.get((name, frozenset(labels.items())))

    def all(self, name):
        """Every series of a name: label values in the order of the labels' names → value."""
        return {
            tuple(value for _, value in sorted(labels)): found
            for (sample, labels), found in self.values.items()
            if sample == name
        }


class Scraped:
    """An exposition of a filled hub, on a clock of its own.

    Args:
        hub: tests.support.filled_hub.FilledHub.
        now: Unix seconds.
    """

    def __init__(self, hub, now):
        self.now = now
        self.exposition = Exposition(hub.store.url, "hub", development=True, home=hub.home, clock=lambda: self.now)

    def ask(self):
        """Ask anew, however short ago somebody asked."""
        self.exposition._made_at -= 2 * KEPT_S
        return Told(self.exposition.text())
