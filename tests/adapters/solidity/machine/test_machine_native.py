"""revm beside py-evm: which contracts are taken, and that both give the same output and gas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.solidity.contracts import ARTIFACTS, contract
from adapters.solidity.machine import Machine, Traits
from adapters.solidity.machine import native as native_module
from adapters.solidity.machine.native import SPECIFICATIONS, is_pure
from tests.support.assembly import answer, assemble, call, creation_of

CALLER, FIRST, SECOND = b"\x01" * 20, b"\xaa" * 20, b"\xbb" * 20
ROOM = {"height": 7, "timestamp": 1_700_000_000}
FORKS = sorted(SPECIFICATIONS)


def word(number):
    return number.to_bytes(32, "big")


def place(machine, address, code):
    """Put runtime code of any form, also such as no deployment would take."""
    machine._state.code[address] = code


def both(code, data, *, gas=200_000, fork="paris"):
    """(success, output, gas) of the same message in revm and in py-evm."""
    answers = []
    for native in (True, False):
        machine = Machine(Traits(fork=fork))
        machine._frames.native.enabled = native
        place(machine, FIRST, code)
        done = machine.call(CALLER, FIRST, data, gas=gas, **ROOM)
        answers.append((done.success, done.output, done.gas_used))
    return answers


ARITHMETIC = [*range(0x01, 0x0C), *range(0x10, 0x1E)]
CONTEXT = [0x34, 0x35, 0x36, 0x38, 0x3D, 0x50, 0x51, 0x58, 0x59, 0x5A, 0x5B]
MEMORY = [0x20, 0x37, 0x39, 0x3E, 0x52, 0x53]


@st.composite
def programs(draw):
    """A listing in bytes that begins with a full stack, so that most of it runs, and ends in RETURN, REVERT or nothing."""
    code = bytearray()
    for number in draw(st.lists(st.integers(0, 2**256 - 1) | st.integers(0, 300), min_size=12, max_size=20)):
        size = max(1, (number.bit_length() + 7) // 8)
        code += bytes([0x5F + size]) + number.to_bytes(size, "big")
    for _ in range(draw(st.integers(0, 25))):
        kind = draw(st.integers(0, 5))
        if kind == 0:
            code.append(draw(st.sampled_from(ARITHMETIC)))
        elif kind == 1:
            code.append(draw(st.sampled_from(CONTEXT)))
        elif kind == 2:
            code += assemble(f"{draw(st.integers(0, 200))} {draw(st.integers(0, 200))}")
            code.append(draw(st.sampled_from(MEMORY)))
        elif kind == 3:
            code += bytes([draw(st.integers(0x80, 0x9F))])
        elif kind == 4:
            precompile, size = draw(st.sampled_from([2, 3, 4, 5, 9])), draw(st.integers(0, 213))
            code += assemble(f"64 128 {size} 0 {precompile} GAS STATICCALL")
        else:
            code += assemble(str(draw(st.integers(0, 2**64))))
    code += draw(st.sampled_from([b"", assemble("96 0 RETURN"), assemble("96 0 REVERT"), assemble("INVALID")]))
    return bytes(code)


@given(programs(), st.binary(max_size=100), st.sampled_from(FORKS), st.sampled_from([300, 5_000, 2_000_000]))
def test_random_programs_give_the_same(code, data, fork, gas):
    assert is_pure(code, hash_allowed=True)
    native, plain = both(code, data, fork=fork, gas=gas)
    assert native == plain


EDGES = {
    "nothing to add": "ADD",
    "one operand": "1 ADD",
    "nothing to drop": "POP",
    "nothing to duplicate": "1 DUP2",
    "nothing to swap with": "1 SWAP1",
    "nothing to load": "MLOAD",
    "a stack that is full by pushing": "1 " * 1025,
    "a stack that is full by duplicating": "1 " + "DUP1 " * 1024,
    "a stack that is just full": "1 " * 1024,
    "no jump destination": "1 JUMP",
    "a jump into a pushed value": "1 1 JUMPI 0x5b",
    "a jump behind the end": "1000 JUMP",
    "a jump that is not taken": "0 1000 JUMPI 1 0 MSTORE 32 0 RETURN",
    "memory that nobody can pay": f"{2**255} MLOAD",
    "calldata behind its end": answer(f"{2**255} CALLDATALOAD"),
    "a value that lies over two words": "9 31 MSTORE 96 0 RETURN",
    "shifts by too much": answer("1 300 SHL 1 300 SHR ADD 1 255 SHL ADD"),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_are_the_same(name):
    native, plain = both(assemble(EDGES[name]), b"abc")
    assert native == plain


def test_a_push_that_the_code_ends_in():
    native, plain = both(bytes.fromhex("61ff"), b"")
    assert native == plain
    assert native[0] is True


def test_revm_is_taken_anew_in_time(monkeypatch):
    monkeypatch.setattr(native_module, "RUNS_MAX", 3)
    machine = Machine(Traits())
    place(machine, FIRST, assemble(LOOP))
    place(machine, SECOND, assemble(answer("5")))
    for _ in range(5):
        assert machine.call(CALLER, FIRST, bytes(4) + word(2), gas=10_000, **ROOM).output == word(7)
        assert machine.call(CALLER, SECOND, b"", gas=10_000, **ROOM).output == word(5)
    assert machine._frames.native._evm.journal_len <= 4


@pytest.mark.parametrize("fork", FORKS)
def test_modular_exponentiation_costs_the_same(fork):
    """The price of precompile 5 changed with Berlin; an inverse on secp256k1 is what the gateway asks it for."""
    field = 2**256 - 2**32 - 977
    listing = f"32 0 MSTORE 32 32 MSTORE 32 64 MSTORE 7 96 MSTORE {field - 2} 128 MSTORE {field} 160 MSTORE 32 0 192 0 5 GAS STATICCALL POP 32 0 RETURN"
    native, plain = both(assemble(listing), b"", fork=fork)
    assert native == plain
    assert native[1] == word(pow(7, -1, field))


LOOP = "4 CALLDATALOAD :again DUP1 ISZERO @done JUMPI 1 SWAP1 SUB @again JUMP :done 7 0 MSTORE 32 0 RETURN"


def test_loops_and_running_out_of_gas():
    code = assemble(LOOP)
    for rounds, gas in ((0, 1_000), (500, 100_000), (10_000, 100_000)):
        native, plain = both(code, bytes(4) + word(rounds), gas=gas)
        assert native == plain
        assert native[0] is (rounds < 10_000)


def test_a_pure_contract_is_called_from_another_one():
    caller = f"100 36 MSTORE 32 0 68 0 0x{SECOND.hex()} GAS STATICCALL 32 MSTORE 64 0 RETURN"
    results = []
    for native in (True, False):
        machine = Machine(Traits())
        machine._frames.native.enabled = native
        place(machine, FIRST, assemble(caller))
        place(machine, SECOND, assemble(LOOP))
        results.append(machine.execute(CALLER, FIRST, b"", gas=100_000, **ROOM))
    assert results[0] == results[1]
    assert results[0].output == word(7) + word(1)


@pytest.mark.parametrize(
    "listing",
    [
        "0 SLOAD",
        "1 0 SSTORE",
        "TIMESTAMP",
        "NUMBER",
        "CHAINID",
        "CALLER",
        "ORIGIN",
        "ADDRESS",
        "0 0 LOG0",
        "0 0 0 CREATE",
        "CALLER SELFDESTRUCT",
        "ADDRESS EXTCODEHASH",
        "BASEFEE",
        call(SECOND),
        call(SECOND, opcode="DELEGATECALL"),
        call(SECOND, opcode="STATICCALL"),
        "0 0 0 0 1 GAS STATICCALL",
        "0 0 0 0 6 GAS STATICCALL",
        "0 0 0 0 0 CALLDATALOAD GAS STATICCALL",
        "0 0 0 0 2 DUP1 GAS POP STATICCALL",
        "STOP :here NUMBER",
    ],
)
def test_what_is_not_taken(listing):
    assert not is_pure(assemble(listing), hash_allowed=True)


@pytest.mark.parametrize(
    "listing",
    [
        "1 2 ADD",
        "0 0 0 0 2 GAS STATICCALL",
        "0 0 0 0 9 GAS STATICCALL",
        "STOP NUMBER",
        "0 0 RETURN SSTORE",
        "0x54555a",
        "0 JUMP SLOAD",
    ],
)
def test_what_is_taken(listing):
    assert is_pure(assemble(listing), hash_allowed=True)


def test_a_hash_is_native_only_where_it_is_keccak():
    code = assemble(answer("32 0 KECCAK256"))
    assert is_pure(code, hash_allowed=True)
    assert not is_pure(code, hash_allowed=False)
    machine = Machine(Traits(hash_opcode="sm3"))
    place(machine, FIRST, code)
    keccak = both(code, b"")[0][1]
    assert machine.call(CALLER, FIRST, b"", gas=10_000, **ROOM).output != keccak


def test_no_contract_of_ours_with_a_state_is_taken():
    taken = {path.stem for path in ARTIFACTS.glob("*.json") if is_pure(contract(path.stem).runtime, hash_allowed=True)}
    assert not taken & {"Gateway", "CommitteeVerifier", "QbftVerifier", "BothVerifier"}


def test_creation_code_runs_in_the_machine_itself():
    machine = Machine(Traits())
    done = machine.execute(CALLER, b"", creation_of(assemble("STOP")), gas=100_000, create_at=FIRST, **ROOM)
    assert (done.success, machine.code(FIRST)) == (True, b"\0")
