"""The Compose specification as far as our files use it: strict models (what they do not know is refused) and its variables.

Compose Specification: 03-compose-file, 05-services, 06-networks, 07-volumes, 09-secrets, 11-extension, 12-interpolation, deploy, build.
Beyond it each service has to be shut in: a numbered user, a read-only file system, limits, a health check, no capabilities, and
nothing published but on 127.0.0.1.
"""

import re
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

Duration = Annotated[str, Field(pattern=r"^(\d+(us|ms|s|m|h))+$")]
Bytes = Annotated[str, Field(pattern=r"^\d+[bkmgBKMG]$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
VARIABLE = re.compile(r"\$(?:\$|[A-Za-z_]\w*|\{[A-Za-z_]\w*(?:(?::?[-?+])[^{}]*)?\})")
"""What may stand behind a dollar (12-interpolation): another one, a name, or a name in braces with a default, an error or a replacement."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Healthcheck(Strict):
    test: list[str] = Field(min_length=2)
    interval: Duration
    timeout: Duration
    retries: int = Field(ge=1)
    start_period: Duration = "0s"


class Limits(Strict):
    cpus: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")]
    memory: Bytes


class Resources(Strict):
    limits: Limits


class Deploy(Strict):
    replicas: int = Field(default=1, ge=1)
    resources: Resources


class Condition(Strict):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class Build(Strict):
    context: str
    dockerfile: str


class MountedSecret(Strict):
    source: Name
    target: Annotated[str, Field(pattern=r"^/")]


class Logging(Strict):
    driver: str
    options: dict[str, str]


class Service(Strict):
    image: Annotated[str, Field(pattern=r"^[a-z0-9./-]+:[\w.-]+$")]
    command: list[str] = []
    user: Annotated[str, Field(pattern=r"^[1-9]\d*:[1-9]\d*$")]
    read_only: Literal[True]
    restart: Literal["no", "unless-stopped"]
    cap_drop: list[Literal["ALL"]] = Field(min_length=1)
    security_opt: list[Literal["no-new-privileges:true"]] = Field(min_length=1)
    networks: list[Name] = Field(min_length=1)
    healthcheck: Healthcheck
    deploy: Deploy
    build: Build | None = None
    init: bool = False
    profiles: list[Name] = []
    tmpfs: list[str] = []
    environment: dict[str, str] = {}
    volumes: list[str] = []
    secrets: list[Name | MountedSecret] = []
    depends_on: dict[str, Condition] = {}
    ports: list[Annotated[str, Field(pattern=r"^127\.0\.0\.1:\d+:\d+$")]] = []
    shm_size: Bytes = "64m"
    logging: Logging | None = None

    def secret_files(self):
        """Where in the container each secret lies, by its name."""
        return {
            (item if isinstance(item, str) else item.source): (
                f"/run/secrets/{item}" if isinstance(item, str) else item.target
            )
            for item in self.secrets
        }

    def mounts(self):
        """What of this folder lies where in the container: path there → path here, or the volume's name."""
        return {volume.split(":")[1]: volume.split(":")[0] for volume in self.volumes}


class Network(Strict):
    internal: bool = False


class Volume(Strict):
    pass


class Secret(Strict):
    file: Annotated[str, Field(pattern=r"^\./secrets/")]


class Compose(Strict):
    name: Name
    services: dict[Name, Service]
    networks: dict[Name, Network]
    volumes: dict[Name, Volume] = {}
    secrets: dict[Name, Secret] = {}


class OnceEach(yaml.SafeLoader):
    """YAML in which no key comes twice: PyYAML would take the last, Docker Compose refuses it."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(None, None, f"a key comes twice among {keys}", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text):
    """A compose file's content, its `x-` parts merged and left out.

    Raises:
        yaml.YAMLError: it is no YAML, or a key comes twice.
    """
    content = yaml.load(text, OnceEach)
    return {key: value for key, value in content.items() if not key.startswith("x-")}


def texts(value):
    """Every text in a document, but for keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def wrong_variables(content):
    """Texts with a dollar behind which no variable and no second dollar stands."""
    return [text for text in texts(content) if "$" in VARIABLE.sub("", text)]


def variables(content):
    """Names of variables of the machine's environment that a document asks for."""
    found = (match.group() for text in texts(content) for match in VARIABLE.finditer(text))
    return {re.sub(r"^\$\{?|[^\w].*$", "", item) for item in found if item != "$$"}
