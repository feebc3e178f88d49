"""The Celery application: the alarm clock. The database holds the truth; a lost or doubled task costs time only.

The reason stands beside each setting. Workers run with `--pool solo --without-gossip --without-mingle`: one process, one
task at a time, nothing shared to corrupt; several processes give parallelism.
"""

from __future__ import annotations

import gc
from typing import Any

from celery import Celery, bootsteps, signals

from relay.home import Home
from relay.logs import configure_logs

TICK_S = 0.02
home = Home.locate()
app = Celery("relayhub", broker=home.broker_url(home.load()), include=["relay.tasks"])
app.conf.update(
    task_acks_late=True,  # a task is done when it is done, not when it is taken
    task_reject_on_worker_lost=True,  # with a prefork pool: a killed child's task runs again
    task_acks_on_failure_or_timeout=True,  # a failing task is not retried by the broker; the sweep does it
    task_ignore_result=True,  # results are in the database
    task_store_errors_even_if_ignored=False,
    result_backend=None,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,  # a slow ledger's tasks must not wait behind each other in one worker
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,  # our own log lines are JSON already
    worker_enable_remote_control=True,  # `relayhub up` asks whether a worker answers
    task_default_queue="relayhub",
    task_default_delivery_mode="transient",  # nothing in the broker needs to survive it
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # the broker may be away for as long as it likes
    broker_transport_options={
        "visibility_timeout": 30,  # a killed worker's task is redelivered after this; the sweep wakes it sooner
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_keepalive": True,
    },
)


class Tick(bootsteps.StartStopStep):  # type: ignore[misc]
    """Wakes the worker's event loop often.

    Over AMQP with the solo pool the loop (kombu 5) sleeps though it has asked itself to read on, and wakes when its poll ends, after ten
    seconds: a worker with a backlog did one task each ten seconds. Nothing of it is to be seen on Redis.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self.timer: Any = None

    def start(self, consumer: Any) -> None:
        """With each connection."""
        if consumer.hub is not None and consumer.connection.transport.driver_type == "amqp":
            self.timer = consumer.hub.call_repeatedly(TICK_S, lambda: None)

    def stop(self, consumer: Any) -> None:
        """When the connection is gone."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


app.steps["consumer"].add(Tick)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logs(**_: object) -> None:
    """Workers log as every other process does."""
    configure_logs()


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _spare_the_collector(**_: object) -> None:
    """Batches make tens of thousands of short-lived objects without cycles: look for cycles less often."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
