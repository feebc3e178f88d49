"""The committed artifacts are what the pinned solc makes of the sources, small enough, and of old opcodes only."""

import json

import pytest

from adapters.solidity import compile as compiler
from adapters.solidity.contracts import CODE_MAX_BYTES, contract
from adapters.solidity.refusals import DEPLOYED as REFUSING

DEPLOYED = [*REFUSING, "Mailbox", "Reverting", "Idle", "Loader"]
ISTANBUL = {
    *range(0x0C),
    *range(0x10, 0x1E),
    0x20,
    *range(0x30, 0x40),
    *range(0x40, 0x48),
    *range(0x50, 0x5C),
    *range(0x60, 0xA5),
    0xF1,
    0xF3,
    0xFA,
    0xFD,
    0xFE,
}
"""Every opcode of Istanbul but CREATE, CALLCODE, DELEGATECALL, CREATE2 and SELFDESTRUCT."""
CHAIN_ID, SELF_BALANCE, BLOCK_HASH, COINBASE, DIFFICULTY = 0x46, 0x47, 0x40, 0x41, 0x44


def opcodes(code):
    place, found = 0, set()
    while place < len(code):
        opcode = code[place]
        found.add(opcode)
        place += 1 + (opcode - 0x5F if 0x60 <= opcode <= 0x7F else 0)
    return found


def test_the_artifacts_are_what_the_compiler_makes_of_the_sources():
    compiled = {f"{name}.json": compiler.render(artifact) for name, artifact in compiler.compile_contracts().items()}
    committed = {
        path.relative_to(compiler.ARTIFACTS).as_posix(): path.read_text() for path in compiler.ARTIFACTS.rglob("*.json")
    }
    assert set(compiled) == set(committed)
    assert [name for name in compiled if compiled[name] != committed[name]] == []


@pytest.mark.parametrize("name", DEPLOYED)
def test_every_runtime_fits_a_ledger(name):
    assert 0 < len(contract(name).runtime) <= CODE_MAX_BYTES


@pytest.mark.parametrize("name", DEPLOYED)
def test_no_opcode_is_newer_than_istanbul_or_creates_or_delegates(name):
    used = opcodes(contract(name).runtime)
    assert sorted(hex(opcode) for opcode in used - ISTANBUL) == []
    assert used & {CHAIN_ID, SELF_BALANCE, BLOCK_HASH, COINBASE, DIFFICULTY} == set()


def test_the_scan_sees_a_newer_opcode_and_skips_what_is_pushed():
    assert 0x5F in opcodes(bytes([0x5F, 0x00])) - ISTANBUL
    assert 0xF4 not in opcodes(bytes([0x60, 0xF4, 0x00]))
    assert 0xF4 in opcodes(bytes([0x61, 0x00, 0x00, 0xF4])) - ISTANBUL


def test_every_error_tells_the_operator_what_to_do_next():
    for name in REFUSING:
        for error, advice in contract(name).errors.values():
            assert ";" in advice, error.name
            assert advice.endswith("."), error.name


def test_a_missing_compiler_is_one_clear_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(compiler.shutil, "which", lambda *_, **__: None)
    with pytest.raises(compiler.CompilationError, match="make setup"):
        compiler.find_compiler()


def test_a_source_that_does_not_compile_is_reported(tmp_path, monkeypatch):
    (tmp_path / "test").mkdir()
    (tmp_path / "Broken.sol").write_text("contract {")
    monkeypatch.setattr(compiler, "CONTRACTS", tmp_path)
    with pytest.raises(compiler.CompilationError, match="Expected identifier"):
        compiler.compile_contracts()


def test_artifacts_are_plain_json_with_sorted_keys():
    text = (compiler.ARTIFACTS / "Gateway.json").read_text()
    assert text == compiler.render(json.loads(text))
