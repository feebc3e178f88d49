"""Profiles of hypothesis: `HYPOTHESIS_PROFILE=ci` or `deep` asks for more examples; no profile measures time."""

import os

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
