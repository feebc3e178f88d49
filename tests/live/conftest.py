"""A machine without PostgreSQL's or RabbitMQ's server, or without Go and what it built, runs all but what needs one, and says so by name."""

from pathlib import Path

import pytest

from adapters.cosmos.devnet.build import EVMD
from adapters.evm.clique.build import GETH
from tests.support.debian import PROGRAMS
from tests.support.postgresql_cluster import PostgresqlCluster, server_binaries

RABBITMQ = Path(PROGRAMS["rabbitmq-server"])
HERE = Path(__file__).parent
MISSING = {
    "test_postgresql*.py": "" if server_binaries() else "no PostgreSQL server on this machine",
    "test_rabbitmq*.py": "" if RABBITMQ.exists() else "no RabbitMQ server on this machine",
    "test_geth*.py": "" if GETH.can_be_had() else "neither Go nor a geth built before on this machine",
    "test_evmd*.py": "" if EVMD.can_be_had() else "neither Go nor an evmd built before on this machine",
}
NOT_RUN = {path: reason for pattern, reason in MISSING.items() if reason for path in sorted(HERE.glob(pattern))}


def pytest_ignore_collect(collection_path):
    return True if collection_path in NOT_RUN else None


def pytest_terminal_summary(terminalreporter):
    for path, reason in NOT_RUN.items():
        terminalreporter.write_line(f"not run: {path.name}: {reason}")


@pytest.fixture(scope="session")
def cluster():
    cluster = PostgresqlCluster()
    yield cluster
    cluster.close()
