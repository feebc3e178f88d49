"""The committed artifacts are what the pinned solc makes of the sources, small enough, and of old opcodes only."""

import json

import pytest

from adapters.solidity import compile as compiler
from adapters.solidity.compiled import types_of
from adapters.solidity.contracts import CODE_MAX_BYTES, contract
from adapters.solidity.refusals import DEPLOYED as REFUSING
from schemas.suites import EVM, keccak256

DEPLOYED = [*REFUSING, "SelfTest", "Observer", "Mailbox", "Reverting", "Idle", "Loader"]
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
SM2_PRIME = 2**256 - 2**224 - 2**96 + 2**64 - 1
KNOWN_Y = 0x93311CF3470D95ACD734D67531A55FDA78A1AE5FE3F83C0B3DA385D0DF12038A
CHAIN_ID, SELF_BALANCE, BLOCK_HASH, COINBASE, DIFFICULTY = 0x46, 0x47, 0x40, 0x41, 0x44


PUSH32 = 0x7F
NATIONAL = ["GatewaySm", "CommitteeVerifierSm", "FiscoSm2", "FiscoSm3", "ChainMakerSm2", "Sm3"]
"""What runs on machines whose hash opcode is SM3, beside or in place of others."""


def instructions(code):
    place = 0
    while place < len(code):
        opcode = code[place]
        width = opcode - 0x5F if 0x60 <= opcode <= PUSH32 else 0
        yield opcode, code[place + 1 : place + 1 + width]
        place += 1 + width


def opcodes(code):
    return {opcode for opcode, _ in instructions(code)}


def compiled_words(name, code):
    """Words of 32 bytes in the code that neither stand in the sources nor are an event's topic, a selector or a mask: what the
    compiler computed, by Keccak-256 for instance."""
    compiled = contract(name)
    topics = {
        keccak256(f"{item['name']}({','.join(types_of(item['inputs']))})".encode())
        for item in compiled.abi
        if item["type"] == "event"
    }
    selectors = {*compiled.errors, *(function.selector for function in compiled.functions.values())}
    text = "".join(path.read_text().lower() for path in compiler.CONTRACTS.rglob("*.sol"))
    found = {word for opcode, word in instructions(code) if opcode == PUSH32} - topics
    return {
        word.hex()
        for word in found
        if len(set(word)) > 5 and word[:4] not in selectors and not any(form in text for form in _written(word))
    }


def _written(word):
    """How a word may stand in the sources: a number, its complement, bytes or text with zeros behind."""
    short = word.rstrip(b"\x00")
    forms = [f"0x{word.hex()}", f"0x{bytes(255 - byte for byte in word).hex()}", f"0x{short.hex()}"]
    return [*forms, f'"{short.decode()}"'] if short.isascii() else forms


def constructor_of(name):
    """The creation code in front of the runtime that it copies."""
    compiled = contract(name)
    end = compiled.creation.find(compiled.runtime[:64])
    assert end > 0
    return compiled.creation[:end]


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


@pytest.mark.parametrize("name", DEPLOYED)
def test_constructors_keep_to_the_same_opcodes(name):
    assert sorted(hex(opcode) for opcode in opcodes(constructor_of(name)) - ISTANBUL) == []


@pytest.mark.parametrize("name", NATIONAL)
def test_the_compiler_computed_no_hash_for_machines_that_hash_otherwise(name):
    """Where an array or a mapping's entry stands, a tag, a suite: by SM3 at run time, by Keccak-256 if the compiler does it."""
    negated_key = (SM2_PRIME - KNOWN_Y).to_bytes(32, "big").hex()  # a point that the probe computes of a known one
    for code in (constructor_of(name), contract(name).runtime):
        assert compiled_words(name, code) - {negated_key} == set()


def test_the_scan_sees_what_the_compiler_computed():
    computed = compiled_words("Gateway", contract("Gateway").runtime)
    assert EVM.tag("message").hex() in computed


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
