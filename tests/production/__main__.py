"""Run the production shape against Debian's servers, and say how long everything took.

python -m tests.production                      PostgreSQL with Redis, then PostgreSQL with RabbitMQ
python -m tests.production rabbitmq --cells 5   one of them, the crash table's first cells only
"""

import argparse

from tests.production.brokers import RabbitMq, Redis
from tests.production.runs import OURS, run
from tests.support.debian import needs
from tests.support.postgresql_cluster import PostgresqlCluster

BROKERS = {"redis": Redis, "rabbitmq": RabbitMq}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.production", description="The hub on Debian's servers.")
    parser.add_argument("brokers", nargs="*", metavar="BROKER", help="redis, rabbitmq; both if none is named")
    parser.add_argument("--cells", type=int, default=len(OURS), help="how many cells of the crash table")
    options = parser.parse_args()
    if set(options.brokers) - set(BROKERS):
        parser.error(f"the brokers are {', '.join(BROKERS)}")
    needs("postgresql")
    cluster = PostgresqlCluster()
    try:
        for name in options.brokers or BROKERS:
            broker = BROKERS[name]()
            try:
                run(broker, cluster, cells=options.cells)
            finally:
                broker.close()
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
