"""The page's files: languages, policies and licences; and what it shows of the evidence log."""

import json
import re
from importlib import resources

from relay.home import Home
from relay.web.page.assets import load
from relay.web.page.evidence import checkpoint_of

# --- evidence ---


def test_a_checkpoint_is_shown(tmp_path):
    home = Home(tmp_path)
    assert checkpoint_of(home) == {"there": False}
    folder = tmp_path / "evidence" / "log"
    folder.mkdir(parents=True)
    root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    (folder / "checkpoint").write_text(f"relayhub/hub\n42\n{root}\n\n\N{EM DASH} relayhub/hub AAAAAAAAAAAA\n")
    found = checkpoint_of(home)
    assert (found["there"], found["size"], found["origin"], found["signers"]) == (
        True,
        42,
        "relayhub/hub",
        ["relayhub/hub"],
    )
    assert found["root"] == "0x" + "00" * 32
    for broken in (b"", b"\xff", b"relayhub/hub\nx\n\n"):
        (folder / "checkpoint").write_bytes(broken)
        assert "cannot be read" in checkpoint_of(home)["text"]


# --- the files ---

FILES = {name: asset.content.decode() for name, asset in load().items() if not name.startswith("vendor/")}
TEXTS = {language: json.loads(FILES[f"texts.{language}.json"]) for language in ("en", "zh")}
SCRIPTS = "\n".join(content for name, content in FILES.items() if name.endswith((".js", ".html")))


def test_both_languages_have_every_text_with_the_same_values():
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for key, text in TEXTS["en"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", TEXTS["zh"][key])), key
        assert text.strip()
        assert TEXTS["zh"][key].strip()


def test_every_text_that_the_page_names_is_there_and_no_other():
    named = set(re.findall(r'\bt\("([\w.-]+)"', SCRIPTS)) | set(re.findall(r'data-text="([\w.-]+)"', SCRIPTS))
    assert named - TEXTS["en"].keys() == set()
    quoted = set(re.findall(r'"([\w.-]+)"', SCRIPTS))
    families = set(re.findall(r"t\(`([\w.]+)\.\$\{", SCRIPTS)) | set(re.findall(r'word\("(\w+)"', SCRIPTS))
    assert {key for key in TEXTS["en"] if key not in quoted and key.rpartition(".")[0] not in families} == set()


def test_no_file_names_another_place_or_writes_markup():
    for name, content in FILES.items():
        assert set(re.findall(r"https?://[\w./-]+", content)) <= {"http://www.w3.org/2000/svg"}, name
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", SCRIPTS)


def test_the_copied_libraries_bring_their_licences():
    vendor = resources.files("relay.web.page") / "static" / "vendor"
    found = {item.name for item in vendor.iterdir()}
    assert found == {"cytoscape.js", "cytoscape.LICENSE", "uplot.js", "uplot.css", "uplot.LICENSE"}
    for name in ("cytoscape", "uplot"):
        assert "Permission is hereby granted" in (vendor / f"{name}.LICENSE").read_text()
