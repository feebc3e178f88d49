"""The machine on its own: messages, logs, reads and writes, failures, snapshots, what the opcodes answer."""

import pytest

from adapters.solidity.machine import Log, Machine, Panic, Read, Traits, Write
from schemas.suites import keccak256, sm3
from tests.support.assembly import answer, assemble, call, creation_of

CALLER, FIRST, SECOND = b"\x01" * 20, b"\xaa" * 20, b"\xbb" * 20
ROOM = {"gas": 10_000_000, "height": 7, "timestamp": 1_700_000_000_123}


def word(number):
    return number.to_bytes(32, "big")


def machine_with(traits=None, **listings):
    """A machine where `first` and `second` stand with these listings."""
    machine = Machine(traits or Traits())
    for name, listing in listings.items():
        address = {"first": FIRST, "second": SECOND}[name]
        done = machine.execute(CALLER, b"", creation_of(assemble(listing)), create_at=address, **ROOM)
        assert (done.success, done.created, machine.code(address)) == (True, address, assemble(listing))
    return machine


def run(machine, data=b"", **room):
    return machine.execute(CALLER, FIRST, data, **{**ROOM, **room})


def test_writes_reads_and_logs_come_in_order():
    machine = machine_with(first="3 SLOAD POP 5 2 SSTORE 6 1 SSTORE 7 2 SSTORE 1 SLOAD POP 9 31 0 LOG1 STOP")
    done = run(machine)
    assert done.writes == (Write(FIRST, word(2), word(7)), Write(FIRST, word(1), word(6)))
    assert done.reads == (Read(FIRST, word(3), word(0)),)
    assert done.logs == (Log(FIRST, (word(9),), bytes(31)),)
    assert machine.slot(FIRST, word(2)) == word(7)
    assert run(machine).writes == done.writes, "also where the value was the same before"


def test_a_frame_that_failed_leaves_nothing_but_its_reads():
    machine = machine_with(
        second="4 SLOAD POP 1 1 SSTORE 0 0 LOG0 0 0 REVERT", first=f"2 2 SSTORE {call(SECOND)} 3 SSTORE STOP"
    )
    done = run(machine)
    assert done.writes == (Write(FIRST, word(2), word(2)), Write(FIRST, word(3), word(0)))
    assert done.logs == ()
    assert done.reads == (Read(SECOND, word(4), word(0)),)
    assert machine.slot(SECOND, word(1)) == word(0)


@pytest.mark.parametrize(
    ("listing", "failure", "output"),
    [
        ("1 1 SSTORE 5 0 MSTORE 32 0 REVERT", "revert", word(5)),
        ("1 1 SSTORE :again @again JUMP", "out of gas", b""),
        ("1 1 SSTORE INVALID", "InvalidInstruction", b""),
    ],
)
def test_a_transaction_that_failed_changes_nothing(listing, failure, output):
    machine = machine_with(first=listing)
    done = run(machine, gas=100_000)
    assert (done.success, done.output, done.logs, done.writes, done.created) == (False, output, (), (), b"")
    assert done.failure.startswith(failure)
    assert (done.gas_used == 100_000) == (failure != "revert")
    assert machine.slot(FIRST, word(1)) == word(0)


def test_a_call_is_undone():
    machine = machine_with(first="5 1 SSTORE 0 0 LOG0 STOP")
    done = machine.call(CALLER, FIRST, b"", **ROOM)
    assert (len(done.writes), len(done.logs)) == (1, 1)
    assert machine.slot(FIRST, word(1)) == word(0)
    done = machine.call(CALLER, b"", creation_of(b"\x00"), create_at=SECOND, **ROOM)
    assert (done.created, machine.code(SECOND)) == (SECOND, b"")


def test_snapshots_go_back_over_transactions():
    machine = machine_with(first="0 CALLDATALOAD 1 SSTORE STOP")
    first = machine.snapshot()
    run(machine, word(1))
    second = machine.snapshot()
    run(machine, word(2))
    machine.revert(second)
    assert machine.slot(FIRST, word(1)) == word(1)
    machine.revert(first)
    assert machine.slot(FIRST, word(1)) == word(0)
    with pytest.raises(KeyError):
        machine.revert(second)
    third = machine.snapshot()
    run(machine, word(3))
    machine.release(third)
    assert machine.slot(FIRST, word(1)) == word(3)
    with pytest.raises(KeyError):
        machine.revert(third)


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        ("TIMESTAMP", 1_700_000_000_123),
        ("NUMBER", 7),
        ("CHAINID", 2_018),
        ("GASLIMIT", 10_000_000),
        ("COINBASE", 0),
        ("DIFFICULTY", 0),
        ("BASEFEE", 0),
        ("SELFBALANCE", 0),
        ("3 BLOCKHASH", 0),
        ("CALLER", int.from_bytes(CALLER, "big")),
        ("ORIGIN", int.from_bytes(CALLER, "big")),
    ],
)
def test_what_the_caller_says_of_the_block(listing, expected):
    machine = machine_with(Traits(chain_number=2_018), first=answer(listing))
    assert run(machine).output == word(expected)


@pytest.mark.parametrize(("name", "function"), [("keccak256", keccak256), ("sm3", sm3)])
def test_the_hash_opcode(name, function):
    machine = machine_with(Traits(hash_opcode=name), first=answer("7 0 MSTORE 32 0 KECCAK256"))
    assert run(machine).output == function(word(7))
    machine = machine_with(Traits(hash_opcode=name), first=answer("ADDRESS EXTCODEHASH"))
    assert run(machine).output == function(machine.code(FIRST))


@pytest.mark.parametrize(
    ("fork", "opcode", "known"),
    [
        ("paris", "PUSH0", False),
        ("shanghai", "PUSH0", True),
        ("shanghai", "0 0 0 MCOPY 1", False),
        ("cancun", "0 0 0 MCOPY 1", True),
        ("berlin", "BASEFEE", False),
        ("london", "BASEFEE", True),
        ("istanbul", "CHAINID", True),
    ],
)
def test_opcodes_by_fork(fork, opcode, known):
    assert run(machine_with(Traits(fork=fork), first=answer(opcode))).success is known


def recover():
    """Listing that asks ecrecover about calldata and returns the answer."""
    return "128 0 0 CALLDATACOPY 32 0 128 0 1 GAS STATICCALL POP 32 0 RETURN"


def test_ecrecover_and_its_stub():
    digest, signature, signer = KNOWN
    data = digest + word(signature[64]) + signature[:64]
    assert run(machine_with(first=recover()), data).output[12:] == signer
    assert run(machine_with(Traits(ecrecover=False), first=recover()), data).output == bytes(32)


KNOWN = (
    keccak256(b"relayhub/signature-probe/v1"),
    bytes.fromhex(
        "0eca5d08852e7aec597a93fcdc3aa3cb813f48910da127c3088ac46c34a8a207"
        "4ebc1a35bb85bf27bee6bd8eeb4c1e54dad3d522fe446666efef1dec7398c1ca1b"
    ),
    bytes.fromhex("107b122e31670A0D741c24C9ddC0f12ACF54dC59"),
)


def test_precompiles_of_the_platform():
    def shout(data):
        if data == word(0):
            raise Panic("a key that nobody expected")
        return data.rstrip(b"\0").upper() if data.startswith(b"a") else None

    traits = Traits(precompiles={SECOND: shout})
    machine = machine_with(
        traits, first=f"32 0 0 CALLDATACOPY 32 32 32 0 0 0x{SECOND.hex()} GAS CALL 0 MSTORE 64 0 RETURN"
    )
    assert run(machine, b"abc".ljust(32, b"\0")).output == word(1) + b"ABC".ljust(32, b"\0")
    assert run(machine, b"b".ljust(32, b"\0")).output == word(0) + bytes(32)
    done = run(machine, word(0))
    assert (done.success, done.failure) == (False, "panic: a key that nobody expected")
    direct = machine.call(CALLER, SECOND, b"abc", **ROOM)
    assert direct.output == b"ABC"


def test_code_has_a_limit():
    for size, taken in ((200, True), (201, False)):
        machine = Machine(Traits(code_max=200))
        done = machine.execute(CALLER, b"", creation_of(bytes(size)), create_at=FIRST, **ROOM)
        assert (done.success, len(machine.code(FIRST))) == (taken, size if taken else 0)


def test_nothing_is_put_over_a_contract():
    machine = machine_with(first="STOP")
    done = machine.execute(CALLER, b"", creation_of(b"\x5b"), create_at=FIRST, **ROOM)
    assert (done.success, machine.code(FIRST)) == (False, b"\x00")
    assert done.failure == "there is a contract at this address"


def test_a_contract_that_destroys_itself_is_gone_after_the_transaction():
    machine = machine_with(first="1 1 SSTORE CALLER SELFDESTRUCT")
    assert run(machine).success
    assert (machine.code(FIRST), machine.slot(FIRST, word(1))) == (b"", word(0))


def test_a_contract_creates_another_which_goes_with_a_revert():
    """The creation code stands in calldata; what is created is put on the stack, or 0."""
    create = "CALLDATASIZE 0 0 CALLDATACOPY CALLDATASIZE 0 0 CREATE"
    code = creation_of(b"\x60\x07\x00")
    done = run(machine := machine_with(first=answer(create)), code)
    created = done.output[12:]
    assert machine.code(created) == b"\x60\x07\x00"
    assert run(machine, code).output[12:] != created, "the next nonce gives the next address"
    assert run(machine, b"\xfe").output == word(0)
    machine = machine_with(first=f"{create} POP 0 0 REVERT")
    assert not run(machine, code).success
    assert machine.code(created) == b""


def test_transient_storage_lasts_a_transaction_and_goes_with_a_revert():
    second = "5 1 TSTORE 0 0 REVERT"
    first = f"1 TLOAD 0 MSTORE {call(SECOND)} POP 9 1 TSTORE 1 TLOAD 32 MSTORE 64 0 RETURN"
    machine = machine_with(Traits(fork="cancun"), first=first, second=second)
    for _ in range(2):
        assert run(machine).output == word(0) + word(9)
