"""Examples that a person copies: the configuration files, the table of figures."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from relay.config import HubConfig, parse_config
from relay.operator.configuration import ChainConfig, OperatorConfig, load_config
from relay.store.waits import Reason
from tests.bench.__main__ import AIMS
from tests.support.shared_vectors import shared, shared_json

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
SETTING = re.compile(r"^(\w+) = ", re.MULTILINE)
FIGURE = re.compile(r"^\| `(\w+)` \| (\S+) \| (.*?) ?\|$", re.MULTILINE)
ALL_FIGURES = {
    *("e2e_messages_per_s", "latency_p50_s", "latency_p95_s", "memory_peak_mb", "gas_send"),
    *("hub_cpu_ms_per_message", "operators_cpu_ms_per_message", "hub_and_operators_cpu_ms_per_message"),
    *(f"gas_{call}_committee_batch_{size}" for call in ("deliver", "settle") for size in (1, 10, 100)),
    *(f"gas_deliver_light_client_batch_{size}" for size in (1, 10, 100)),
    *("gas_client_update", "outage_latency_usual_p50_s", "outage_latency_beside_backlog_p50_s", "outage_latency_ratio"),
    *(
        f"outage_gas_deliver_{kind}_{part}_quarter"
        for kind in ("committee", "light_client")
        for part in ("first", "last")
    ),
}


def settings_with_a_remark(text):
    """Settings that stand below a remark or below another setting of the same paragraph."""
    found = set()
    for paragraph in text.split("\n\n"):
        lines = paragraph.splitlines()
        if any(line.startswith("#") for line in lines) or "[[chains]]" in text:
            found |= set(SETTING.findall(paragraph))
    return found


def test_the_hubs_example_has_every_setting_and_says_what_it_is():
    text = (EXAMPLES / "hub.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert list(settings) == list(HubConfig.model_fields)
    assert settings_with_a_remark(text) == set(settings)
    assert not parse_config(settings, "hub.toml").development


def test_the_operators_example_has_every_setting():
    config = load_config(EXAMPLES / "operator.toml")
    assert config.key_file == EXAMPLES / "keys" / "signer.json"
    settings = tomllib.loads((EXAMPLES / "operator.toml").read_text(encoding="utf-8"))
    assert list(settings) == list(OperatorConfig.model_fields)
    assert list(settings["chains"][0]) == list(ChainConfig.model_fields)


def table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return FIGURE.findall(text.partition("<!-- bench:begin -->")[2].partition("<!-- bench:end -->")[0])


def test_a_stranger_follows_headers_with_the_light_clients_alone():
    heavy = ("relay", "adapters", "httpx", "sqlalchemy", "celery")
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import runpy, sys; runpy.run_path(sys.argv.pop(1)); print(sorted(set(sys.modules) & set(sys.argv[2:])))",
            EXAMPLES / "follow_headers.py",
            shared("goquorum_qbft/headers_vote_out.json"),
            *heavy,
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout.splitlines()
    blocks = shared_json("goquorum_qbft/headers_vote_out.json")
    assert [line.split()[2] for line in told[:-2]] == [block["json"]["hash"] for block in blocks[1:]]
    assert told[-3].endswith("is final; 3 validators seal the next")
    assert told[-2:] == [
        "a changed byte: SealForeign: A seal is of no validator of the set, or over other content.",
        "[]",
    ]


def test_the_readme_shows_every_figure_of_the_bench_once():
    names = [name for name, _, _ in table()]
    assert len(names) == len(set(names))
    assert set(names) == ALL_FIGURES


def test_the_readmes_aims_are_those_of_the_bench():
    shown = {name: aim for name, _, aim in table() if aim}
    assert shown == {name: f"{sign} {aim:,}" for name, (sign, aim) in AIMS.items() if name in ALL_FIGURES}


def test_a_figure_is_a_number_or_not_there_yet():
    assert all(re.fullmatch(r"–|[\d,]+(\.\d+)?", value) for _, value, _ in table())


def test_every_decision_is_listed_in_order():
    listed = re.findall(r"\(adr/(\S+)\)", (ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert [name[:4] for name in listed] == [f"{number:04}" for number in range(1, len(listed) + 1)]


def test_every_reason_to_wait_has_somebody_whose_turn_it_is():
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    waiting = text.partition("| whose turn |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`(\w+)`", waiting)) == sorted(Reason)


def test_every_document_is_listed():
    listed = set(re.findall(r"\((\w[\w-]*\.md)\)", (ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
