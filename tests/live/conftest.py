"""A machine without a PostgreSQL server runs everything but the modules that need one, and says so by name."""

from pathlib import Path

import pytest

from tests.support.postgresql_cluster import PostgresqlCluster, server_binaries

NEED_POSTGRESQL = sorted(Path(__file__).parent.glob("test_postgresql*.py"))
WITHOUT_SERVER = server_binaries() is None


def pytest_ignore_collect(collection_path):
    return True if WITHOUT_SERVER and collection_path in NEED_POSTGRESQL else None


def pytest_terminal_summary(terminalreporter):
    if WITHOUT_SERVER:
        for path in NEED_POSTGRESQL:
            terminalreporter.write_line(f"not run: {path.name}: no PostgreSQL server on this machine")


@pytest.fixture(scope="session")
def cluster():
    cluster = PostgresqlCluster()
    yield cluster
    cluster.close()
