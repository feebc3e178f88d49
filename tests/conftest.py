"""Profiles of hypothesis: `HYPOTHESIS_PROFILE=ci` or `deep` asks for more examples; no profile measures time."""

import os

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = {"dev": 50, "ci": 200, "deep": 5_000}

for name, examples in EXAMPLES.items():
    settings.register_profile(name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_terminal_summary(terminalreporter):
    """Show the tables that tests recorded (`record_property("table", …)`), also from workers of xdist."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "table" and report.when == "call":
                terminalreporter.write_line(f"\n{value}")


@pytest.fixture
def make_hub(tmp_path):
    """Makes hubs in this process over memory ledgers; they are closed when the test ends."""
    from tests.support.memory_hub import MemoryHub

    made = []

    def make(**options):
        folder = tmp_path / f"hub-{len(made)}"
        folder.mkdir()
        made.append(MemoryHub(folder, **options))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def hub(make_hub):
    """One such hub."""
    return make_hub()
