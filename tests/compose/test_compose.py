"""The compose files: of the Compose specification's form, each service shut in, and everything that they name is there."""

import importlib
import json
import re
import shlex
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from relay.cli.application import app as commands
from relay.config import HubConfig
from relay.health import CHECKS
from relay.home import Home
from relay.supervisor import children_of, worker_command
from tests.support.compose_shape import Build, Compose, load, variables, wrong_variables
from tests.support.debian import needs

COMPOSE = Path(__file__).parents[2] / "compose"
ROOT = COMPOSE.parent
FILES = ("hub.yaml", "operator.yaml")
README = (COMPOSE / "README.md").read_text(encoding="utf-8")


def text_of(name):
    return (COMPOSE / name).read_text(encoding="utf-8")


def read(name):
    return Compose.model_validate(load(text_of(name)))


def services():
    return [(file, name, service) for file in FILES for name, service in read(file).services.items()]


each = pytest.mark.parametrize(
    ("file", "name", "service"), [pytest.param(*item, id=f"{item[0]}-{item[1]}") for item in services()]
)


def test_every_process_that_the_supervisor_starts_is_a_service(tmp_path):
    config = HubConfig(name="hub", database="postgresql+psycopg://x", broker="redis://x", web_port=1)
    started = {child.role.partition("-")[0] for child in children_of(Home(tmp_path), config)}
    known = set(read("hub.yaml").services)
    assert started <= known
    assert known - started == {"valkey", "postgres", "prepare", "prometheus", "grafana"}
    assert set(read("operator.yaml").services) == {"operator"}


@pytest.mark.parametrize("file", FILES)
def test_variables_are_of_the_specifications_form_and_none_has_to_be_set(file):
    content = load(text_of(file))
    assert wrong_variables(content) == []
    assert variables(content) == set()


@each
def test_whatever_a_service_names_is_declared(file, name, service):
    compose = read(file)
    assert set(service.networks) <= set(compose.networks)
    assert set(service.depends_on) <= set(compose.services) - {name}
    assert set(service.secret_files()) <= set(compose.secrets)
    for source in service.mounts().values():
        if source.startswith("./"):
            assert source == "./operator" or (COMPOSE / source).exists(), f"{source} is not there"
        else:
            assert source in compose.volumes
    for volume in service.volumes:
        assert volume.endswith(":ro") or not volume.startswith("./") or volume == "./operator:/hub"


@each
def test_nobody_waits_for_a_process_that_leaves_or_for_nothing(file, name, service):
    others = read(file).services
    for other, said in service.depends_on.items():
        leaves = others[other].restart == "no"
        assert said.condition == ("service_completed_successfully" if leaves else "service_healthy")


@pytest.mark.parametrize("file", FILES)
def test_everything_declared_is_used(file):
    compose = read(file)
    everyone = compose.services.values()
    assert set(compose.networks) == {name for service in everyone for name in service.networks}
    assert set(compose.secrets) == {name for service in everyone for name in service.secret_files()}
    named = {source for service in everyone for source in service.mounts().values() if not source.startswith("./")}
    assert set(compose.volumes) == named


def test_only_what_speaks_to_ledgers_or_people_has_a_way_out():
    compose = read("hub.yaml")
    assert compose.networks["data"].internal
    assert compose.networks["broker"].internal
    for name in ("valkey", "postgres", "recorder", "prepare"):
        assert {*compose.services[name].networks} <= {"data", "broker"}
    assert "data" not in compose.services["valkey"].networks
    assert [name for name, service in compose.services.items() if service.ports] == ["web", "prometheus", "grafana"]


@each
def test_no_secret_stands_in_the_environment(file, name, service):
    for variable, value in service.environment.items():
        if re.search(r"PASSWORD|TOKEN|SECRET|KEY", variable):
            assert value in service.secret_files().values()


@each
def test_secrets_that_a_service_reads_are_mounted_for_it(file, name, service):
    named = re.findall(r"/run/secrets/\w+", str([service.command, service.healthcheck.test, service.environment]))
    assert set(named) <= set(service.secret_files().values())


@each
def test_the_modules_that_run_in_our_image_are_there(file, name, service):
    if not service.image.startswith("relayhub:"):
        return
    assert find_spec(service.command[0]), service.command
    assert service.build == Build(context="..", dockerfile="compose/Dockerfile")
    check = service.healthcheck.test
    assert check[:2] == ["CMD", "/opt/relayhub/bin/python"]
    if check[2] == "-m":
        assert callable(importlib.import_module(check[3]).main)
        assert check[4] == name
        assert check[4] in {*CHECKS, "operator"}
    else:
        assert (check[2], name) == ("-c", "prepare")
        exec(compile(check[3], "healthcheck", "exec"), {})


def test_a_worker_here_is_the_worker_of_the_supervisor():
    mine = read("hub.yaml").services["worker"].command
    assert "--hostname=worker@%h" in mine, "relay.health pings it by this name"
    words = shlex.join(worker_command(1)[2:]).replace("-A ", "--app=").replace("-n ", "--hostname=")
    theirs = re.sub(r"(--pool|--concurrency|--loglevel) ", r"\1=", words).split()
    assert [word for word in mine if "hostname" not in word] == [word for word in theirs if "hostname" not in word]


class TestImage:
    text = text_of("Dockerfile")

    def lines(self, word):
        joined = re.sub(r"\\\n\s*", " ", self.text)
        return [line.partition(" ")[2] for line in joined.splitlines() if line.startswith(word + " ")]

    def test_it_has_two_stages_of_one_base_and_ends_as_nobody(self):
        bases = [line.split()[0] for line in self.lines("FROM")]
        assert len(bases) == 2
        assert len(set(bases)) == 1
        assert re.fullmatch(r"python:3\.11-slim-\w+", bases[0])
        assert self.lines("USER") == ["10001:10001"]
        assert self.text.rindex("USER") > self.text.rindex("COPY")

    def test_packages_come_from_the_lock_file_with_hashes(self):
        assert [line for line in self.lines("RUN") if "--require-hashes requirements.lock" in line]
        assert [line for line in self.lines("RUN") if "uv pip install" in line and "--no-deps" in line]
        assert self.lines("ADD") == []

    def test_what_is_copied_is_there_and_reaches_the_builder(self):
        let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        for line in self.lines("COPY"):
            *sources, _ = [word for word in line.split() if not word.startswith("--")]
            if "--from=build" in line:
                continue
            for source in sources:
                assert (ROOT / source.removeprefix("./")).exists()
                assert source.removeprefix("./") in let_in
        assert "*" in (ROOT / ".dockerignore").read_text().splitlines()

    def test_our_services_use_the_version_of_the_package(self):
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        assert {s.image for _, _, s in services() if s.image.startswith("relayhub")} == {f"relayhub:{version}"}


class TestPrometheusAndGrafana:
    hub = read("hub.yaml").services
    prometheus = yaml.safe_load(text_of("prometheus/hub.yaml"))

    def here(self, service, path):
        """The file of this folder that lies at a path of a container."""
        mounts = self.hub[service].mounts()
        at = max((mount for mount in mounts if path == mount or path.startswith(mount + "/")), key=len)
        return COMPOSE / mounts[at] / path.removeprefix(at).lstrip("/")

    def test_prometheus_reads_our_file_and_its_rules(self):
        (said,) = [word.partition("=")[2] for word in self.hub["prometheus"].command if "config.file" in word]
        assert self.here("prometheus", said) == COMPOSE / "prometheus" / "hub.yaml"
        for rules in self.prometheus["rule_files"]:
            assert self.here("prometheus", f"{Path(said).parent}/{rules}").is_file()

    def test_prometheus_scrapes_the_interface_by_its_name_token_and_certificate(self):
        (job,) = self.prometheus["scrape_configs"]
        ((host, port),) = [target.split(":") for item in job["static_configs"] for target in item["targets"]]
        assert host == job["tls_config"]["server_name"] == "web"
        assert f"web_port = {port}" in README
        assert f"127.0.0.1:{port}:{port}" in self.hub["web"].ports
        files = self.hub["prometheus"].secret_files()
        assert job["authorization"]["credentials_file"] == files["prometheus_token"]
        assert job["tls_config"]["ca_file"] == files["web_tls_certificate"]
        assert set(self.hub["web"].networks) & set(self.hub["prometheus"].networks)

    @pytest.mark.parametrize("file", ["hub.yaml", "prometheus.yaml"])
    def test_promtool_finds_nothing_wrong(self, file):
        words = [str(needs("prometheus")), "check", "config", "--syntax-only", str(COMPOSE / "prometheus" / file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_grafana_finds_prometheus_and_the_dashboard(self):
        grafana = self.hub["grafana"]
        (source,) = yaml.safe_load(self.provisioned("datasources/prometheus.yaml"))["datasources"]
        (provider,) = yaml.safe_load(self.provisioned("dashboards/relayhub.yaml"))["providers"]
        assert variables([source, provider]) <= set(grafana.environment)
        assert source["url"] == "${PROMETHEUS_URL}"
        assert grafana.environment["PROMETHEUS_URL"] == "http://prometheus:9090"
        assert set(grafana.networks) & set(self.hub["prometheus"].networks)
        folder = self.here("grafana", grafana.environment["GRAFANA_DASHBOARDS"])
        assert [json.loads(path.read_text())["uid"] for path in folder.glob("*.json")] == ["relayhub"]

    def provisioned(self, path):
        return self.here("grafana", f"/etc/grafana/provisioning/{path}").read_text(encoding="utf-8")


def parsed(words):
    """What our command line makes of words, without doing it.

    Raises:
        click.UsageError: there is no such command, argument or option.
    """
    command, name = get_command(commands), "relayhub"
    while True:
        context = command.make_context(name, list(words))
        rest = [*context._protected_args, *context.args]
        if not hasattr(command, "commands"):
            return context
        name, command, words = command.resolve_command(context, rest)


SHOWN = [line.strip() for line in README.splitlines() if re.match(r"    (docker|relayhub) ", line)]
"""Commands of the README."""
OURS = [line.partition("relay.cli ")[2] for line in SHOWN if "relay.cli " in line]
"""Words of our own command line among them."""


class TestReadme:
    def test_its_commands_are_commands_of_ours(self):
        assert len(OURS) >= 3
        for line in [*OURS, *re.findall(r"`relayhub ([^`]+)`", README)]:
            words = shlex.split(line.replace("…", ""), comments=True)
            if words:
                assert parsed(words).info_name

    def test_a_command_that_is_none_would_be_seen(self):
        with pytest.raises(Exception, match=r"No such option|unexpected|Missing"):
            parsed(["token", "create", "prometheus", "--role", "auditor"])
        with pytest.raises(Exception, match="No such command"):
            parsed(["tokens"])

    def test_its_files_services_and_secrets_are_there(self):
        for line in SHOWN:
            for file in re.findall(r"--file compose/(\S+)", line):
                assert (COMPOSE / file).is_file()
            file = re.search(r"--file compose/(\S+\.yaml)", line)
            named = re.findall(r"(?:run --rm|logs --follow|--scale) ([a-z]+)", line)
            assert set(named) <= set(read(file.group(1)).services) if file else not named
        for secret in read("hub.yaml").secrets.values():
            assert f"`{Path(secret.file).name}`" in README

    def test_its_hub_toml_is_one(self):
        block = re.search(r"((?:    \w+ = .*\n)+)", README).group(1)
        config = HubConfig.model_validate(tomllib.loads(block.replace("    ", "")))
        assert (config.database.split("@")[1], config.broker.split("@")[1]) == ("postgres/relayhub", "valkey:6379/0")
        mounted = read("hub.yaml").services["web"].secret_files()
        assert config.web_tls_certificate == mounted["web_tls_certificate"]
        assert config.web_tls_key == mounted["web_tls_key"]


class TestModels:
    """The models would see what is wrong."""

    @pytest.mark.parametrize(
        "change",
        [
            {"user": "0:0"},
            {"user": "relayhub"},
            {"read_only": False},
            {"ports": ["8443:8443"]},
            {"ports": ["0.0.0.0:8443:8443"]},
            {"healthcheck": None},
            {"privileged": True},
            {"image": "relayhub"},
            {"cap_drop": []},
            {"deploy": {"replicas": 1}},
            {"comand": ["x"]},
            {"environment": {"A": 1}},
        ],
        ids=str,
    )
    def test_they_refuse(self, change):
        good = load(text_of("operator.yaml"))
        Compose.model_validate(good)
        bad = {**good, "services": {"operator": {**good["services"]["operator"], **change}}}
        with pytest.raises(ValueError, match="operator"):
            Compose.model_validate(bad)

    def test_a_key_that_comes_twice(self):
        with pytest.raises(yaml.YAMLError, match="twice"):
            load("services: {a: {user: x, user: y}}")

    @pytest.mark.parametrize("text", ["$", "a$ b", "${", "${A", "${1}", "$-", "${A:=b}"])
    def test_dollars(self, text):
        assert wrong_variables({"x": [text]}) == [text]

    def test_variables(self):
        good = ["$$(cat x)", "$A", "${B}", "${C:-x y}", "${D?tell}", "no"]
        assert wrong_variables(good) == []
        assert variables(good) == {"A", "B", "C", "D"}
