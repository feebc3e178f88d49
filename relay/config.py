"""Where a hub lives on disk and what its configuration file says.

A hub has a home folder (`--home`, else RELAYHUB_HOME, else `.relayhub` in the working directory):

    hub.toml             the configuration below
    relayhub.db          the database, unless `database` names another
    keys/NAME.json       private keys, mode 600
    operators/NAME/      an operator's own folder on a development hub: operator.toml, operator.db, its key
    run/                 sockets, process ids, logs
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from pathlib import Path

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.errors import BadInput, NotFound
from schemas.primitives import SchemaError, name_text

SOCKET_PATH_MAX = 100  # a Unix socket's path has room for about 107 bytes


class HubConfig(BaseModel):
    """The hub's configuration file, `hub.toml`.

    Attributes:
        name: the hub's name; it enters every lane_id. At most 64 bytes.
        development: officers' keys are local and delays are zero; every status says so.
        database: SQLAlchemy URL; empty means SQLite in the home folder.
        broker: Celery broker URL; empty means the embedded Valkey.
        web_port: port of the HTTP interface on 127.0.0.1; 0 picks a free one at the first start.
        workers: worker processes.
        threshold: operators whose signatures an attestation needs (k of n, by organisation).
        batch_limit: messages that one delivery carries at most.
        poll_interval_s: seconds between two looks at a ledger's tip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    development: bool = False
    database: str = ""
    broker: str = ""
    web_port: int = Field(default=0, ge=0, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    threshold: int = Field(default=2, ge=1, le=256)
    batch_limit: int = Field(default=100, ge=1, le=500)
    poll_interval_s: float = Field(default=0.1, gt=0, le=60)


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

    def load(self) -> HubConfig:
        """Read the configuration.

        Raises:
            NotFound: there is no hub here.
            BadInput: the file cannot be used; the error names the setting.
        """
        try:
            raw = self.config_file.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no hub at {self.folder}.", "Run `relayhub up` to make one.") from None
        except OSError as error:
            raise BadInput(f"{self.config_file} cannot be read: {error.strerror}.", "Check its permissions.") from error
        try:
            config = HubConfig.model_validate(tomllib.loads(raw.decode()))
            name_text(config.name, "hub name")
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise BadInput(f"{self.config_file}: {where}: {first['msg']}.", "Correct the setting.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, SchemaError) as error:
            raise BadInput(f"{self.config_file}: {error}.", "Correct the file.") from error
        return config

    def save(self, config: HubConfig) -> None:
        """Write the configuration, readable by its owner only, in one step."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.config_file.with_suffix(".new")
        temporary.write_bytes(tomli_w.dumps(config.model_dump()).encode())
        temporary.chmod(0o600)
        temporary.replace(self.config_file)

    def database_url(self, config: HubConfig) -> str:
        """SQLAlchemy URL of the hub's database."""
        return config.database or f"sqlite:///{self.folder / 'relayhub.db'}"

    def broker_url(self, config: HubConfig) -> str:
        """Celery URL of the broker."""
        return config.broker or f"redis+socket://{self.socket}"
