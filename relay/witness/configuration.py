"""A witness's configuration file, `witness.toml`.

    name = "witness.bank-b.example"    # in its signature lines, for ever
    logs = ["relayhub/…+id+base64"]    # keys of the logs that it watches
    host = "127.0.0.1"                 # another address than loopback needs TLS
    port = 8300
    tls_certificate = ""               # PEM files
    tls_key = ""
    key_file = "key.json"              # its key, mode 600, used for nothing else
    state = "cosigned.json"            # what it cosigned last of each log
    forks = "forks"                    # evidence

Paths are relative to the file.
"""

from __future__ import annotations

import ipaddress
import ssl
import tomllib
from collections.abc import Sequence
from pathlib import Path

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from light_clients.proofs.notes import NoteKey, is_key_name
from relay import keys
from relay.errors import BadInput, Duplicate, NotFound
from relay.evidence.checkpoints import parse_log_key
from relay.evidence.disk import PRIVATE, replace_synced
from relay.witness.memory import Memory, MemoryLost
from relay.witness.witness import Witness

CONFIG_FILE, KEY, STATE, FORKS = "witness.toml", "key", "cosigned.json", "forks"


class WitnessConfig(BaseModel):
    """The whole file.

    Attributes:
        name: the witness's name in signature lines.
        logs: public keys of logs; those of one log have one name.
        host: IP address on which it listens.
        port: its port.
        tls_certificate: file of its TLS certificate chain (PEM); None means no TLS.
        tls_key: file of the certificate's private key (PEM).
        key_file: its Ed25519 key, mode 600.
        state: what it cosigned last of each log.
        forks: folder of the evidence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    logs: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65_535)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    key_file: Path = Path(f"{KEY}.json")
    state: Path = Path(STATE)
    forks: Path = Path(FORKS)

    @property
    def log_keys(self) -> list[NoteKey]:
        """The logs' keys.

        Raises:
            BadInput: one is none.
        """
        return [parse_log_key(text) for text in self.logs]

    @property
    def url(self) -> str:
        """Where the hub finds the witness; a prefix of the calls."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.port}"


def load_config(file: Path) -> WitnessConfig:
    """Read and check the file.

    Raises:
        NotFound: there is no such file.
        BadInput: it cannot be read or used; the error names the setting.
    """
    try:
        config = WitnessConfig.model_validate(tomllib.loads(file.read_bytes().decode()))
    except FileNotFoundError:
        raise NotFound(f"There is no witness configuration {file}.", "Make one: relayhub witness init.") from None
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", "Check its permissions.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is no TOML: {error}.", "Correct the file.") from None
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{file}: {setting}: {first['msg']}.", "Correct the setting.") from None
    _check_name(config.name)
    _ = config.log_keys
    paths = {name: getattr(config, name) for name in ("tls_certificate", "tls_key", "key_file", "state", "forks")}
    config = config.model_copy(update={name: file.parent / path for name, path in paths.items() if path is not None})
    check_listening(config)
    return config


def open_witness(config: WitnessConfig) -> Witness:
    """The witness of a configuration.

    Raises:
        NotFound: its key is gone.
        BadInput: its key cannot be used.
        MemoryLost: its memory is gone or damaged; it is not made anew.
    """
    key = keys.read_key(config.key_file)
    if key.kind != keys.ED25519:
        raise BadInput(f"The key {config.key_file} is no Ed25519 key.", "Make a witness: relayhub witness init.")
    if not config.state.exists():
        raise MemoryLost(
            f"The witness's memory {config.state} is gone, and without it the witness might go back.",
            "Restore the newest copy of it, or make a new witness with a new key: relayhub witness init.",
        )
    witness = Witness(config.name, key.private, config.log_keys, config.state, config.forks)
    witness.memory.read()
    return witness


def create(folder: Path, name: str, logs: Sequence[str], port: int) -> WitnessConfig:
    """Make a witness: its folder (mode 700), key, empty memory and configuration.

    Args:
        folder: made if there is none.
        name: in its signature lines, for ever: no space, no plus sign.
        logs: public keys of the logs.
        port: on loopback.

    Raises:
        BadInput: a name, a key or the port cannot be used.
        Duplicate: there is a witness already; neither key nor memory is ever replaced.
    """
    _check_name(name)
    texts = [parse_log_key(text).text for text in logs]
    if not texts:
        raise BadInput("A witness watches at least one log.", "Give its key: --log; relayhub anchors prints it.")
    taken = [each for each in (CONFIG_FILE, STATE, f"{KEY}.json") if (folder / each).exists()]
    if taken:
        raise Duplicate(f"There is a witness in {folder} already ({taken[0]}).", "Choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys.KeyStore(folder).new(KEY, kind=keys.ED25519)
        Memory(folder / STATE)
        content = {"name": name, "logs": texts, "host": "127.0.0.1", "port": port}
        replace_synced(folder / CONFIG_FILE, tomli_w.dumps(content).encode(), PRIVATE)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}.", "Check the disk and permissions.") from None
    return load_config(folder / CONFIG_FILE)


def check_listening(config: WitnessConfig) -> None:
    """Another address than loopback needs TLS.

    Raises:
        BadInput: it has none, its files cannot be used, or the address is no IP address.
    """
    try:
        beyond = not ipaddress.ip_address(config.host).is_loopback
    except ValueError:
        raise BadInput(f"{config.host!r} is no IP address.", "Listen on 127.0.0.1 or ::1.") from None
    certificate, key = config.tls_certificate, config.tls_key
    if certificate is None and key is None:
        if beyond:
            raise BadInput(
                f"A witness listens on {config.host} only with TLS.",
                "Set tls_certificate and tls_key, or listen on 127.0.0.1 behind a proxy with TLS.",
            )
        return
    try:
        if certificate is None or key is None:
            raise FileNotFoundError(None, "one of the two is missing")
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(
            f"The TLS certificate {certificate} with the key {key} cannot be used: {error.strerror or error}.",
            "Correct tls_certificate and tls_key.",
        ) from None


def _check_name(name: str) -> None:
    if not is_key_name(name):
        raise BadInput(
            f"The name {name!r} cannot stand in signature lines.",
            "Leave out spaces, plus signs and control characters.",
        )
