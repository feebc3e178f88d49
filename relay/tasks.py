"""The two tasks and the call that wakes them."""

from __future__ import annotations

import structlog
from kombu.exceptions import ChannelError, OperationalError

from relay.app import app
from relay.context import process_context
from relay.work import work

log = structlog.get_logger()


@app.task(name="relayhub.work")  # type: ignore[untyped-decorator]
def run(kind: str, identifier: str) -> None:
    """Work on one chain or lane."""
    work(process_context(), kind, identifier, wake)


def wake(kind: str, identifier: str) -> None:
    """Ask a worker to look at a chain or a lane; without a broker the sweep does it a little later."""
    try:
        run.apply_async((kind, identifier), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("wake_failed", kind=kind, id=identifier[:16], error=type(error).__name__)


def queue_depth() -> int:
    """Tasks that wait in the broker; 0 where it does not answer or has no queue yet."""
    try:
        with app.connection_for_read() as connection:
            queue = connection.default_channel.queue_declare(app.conf.task_default_queue, passive=True)
            return int(queue.message_count)
    except (OperationalError, ChannelError, OSError):
        return 0
