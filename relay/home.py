"""Where a hub lives on disk. Light to import: `relayhub --help` and `status` load nothing heavier.

A hub has a home folder (`--home`, else RELAYHUB_HOME, else `.relayhub` in the working directory):

    hub.toml             the configuration (relay.config)
    relayhub.db          the database, unless `database` names another
    keys/NAME.json       private keys, mode 600
    certificates/NAME.json  what came out of certifying an adapter (relay.certify)
    evidence/            the evidence log, its objects, and private records
    operators/NAME/      an operator's own folder on a development hub: operator.toml, operator.db, its key
    run/                 sockets, process ids, logs
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relay.errors import BadInput, NotFound

if TYPE_CHECKING:
    from relay.config import HubConfig

SOCKET_PATH_MAX = 100  # a Unix socket's path has room for about 107 bytes


class Home:
    """A hub's folder and the paths in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @classmethod
    def locate(cls, explicit: str | None = None) -> Home:
        """Find the home: the given path, else RELAYHUB_HOME, else `.relayhub` here."""
        return cls(Path(explicit or os.environ.get("RELAYHUB_HOME") or ".relayhub"))

    @property
    def config_file(self) -> Path:
        """The configuration file."""
        return self.folder / "hub.toml"

    @property
    def keys(self) -> Path:
        """The folder of private keys, mode 700."""
        return self.folder / "keys"

    @property
    def evidence(self) -> Path:
        """The folder of the evidence: `log` and `objects`, which are public, and `private`."""
        return self.folder / "evidence"

    @property
    def operators(self) -> Path:
        """The folder under which a development hub keeps its operators' own folders."""
        return self.folder / "operators"

    @property
    def run(self) -> Path:
        """Logs and process ids."""
        return self.folder / "run"

    @property
    def socket(self) -> Path:
        """The embedded broker's socket: in `run`, or in a short private folder where the path would be too long."""
        path = self.run / "valkey.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
            return path
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"relayhub-{os.getuid()}-{digest}" / "valkey.sock"

    def settings(self) -> dict[str, Any]:
        """Read the configuration file as it stands, unchecked.

        Raises:
            NotFound: there is no hub here.
            BadInput: the file cannot be read or is no TOML.
        """
        try:
            raw = self.config_file.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no hub at {self.folder}.", "Run `relayhub up` to make one.") from None
        except OSError as error:
            raise BadInput(f"{self.config_file} cannot be read: {error.strerror}.", "Check its permissions.") from error
        try:
            return tomllib.loads(raw.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{self.config_file}: {error}.", "Correct the file.") from error

    def load(self) -> HubConfig:
        """Read the configuration.

        Raises:
            NotFound: there is no hub here.
            BadInput: the file cannot be used; the error names the setting.
        """
        from relay.config import parse_config

        return parse_config(self.settings(), str(self.config_file))

    def save(self, config: HubConfig) -> None:
        """Write the configuration, readable by its owner only, in one step."""
        import tomli_w

        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.config_file.with_suffix(".new")
        temporary.write_bytes(tomli_w.dumps(config.model_dump()).encode())
        temporary.chmod(0o600)
        temporary.replace(self.config_file)

    def database_url(self, config: HubConfig) -> str:
        """SQLAlchemy URL of the hub's database."""
        return config.database or self._own_database()

    def database_in(self, settings: dict[str, Any]) -> str:
        """The same from unchecked settings, for what must load no configuration model."""
        return str(settings.get("database") or self._own_database())

    def broker_url(self, config: HubConfig) -> str:
        """Celery URL of the broker."""
        return config.broker or f"redis+socket://{self.socket}"

    def _own_database(self) -> str:
        return f"sqlite:///{self.folder / 'relayhub.db'}"
