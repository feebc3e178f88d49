"""A hub's HTTP interface on a port of 127.0.0.1, served by a thread of this process."""

import threading
import time

import uvicorn

from relay.web.application import create_app
from relay.web.server import listen


class ServedHub:
    """Serves from the beginning until it is stopped.

    Args:
        store: the hub's database.
        port: 0 for a free one.
        options: further ones of `create_app`.

    Attributes:
        port: where it listens.
        url: the same, as an operator or a browser wants it.
    """

    def __init__(self, store, port=0, **options):
        self._listener = listen("127.0.0.1", port)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = create_app(store, "hub", development=True, **options)
        settings = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the hub serves"
            time.sleep(0.01)

    def stop(self):
        """Answer what was asked already, and end."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
