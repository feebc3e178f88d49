"""Each quirk of a platform with the smallest contracts that show it, beside what Ethereum does."""

import pytest

from adapters.solidity.machine import Machine, Traits
from tests.support.assembly import answer, assemble, call, creation_of

CALLER = b"\x01" * 20
FIRST, SECOND, THIRD = b"\xaa" * 20, b"\xbb" * 20, b"\xcc" * 20
ROOM = {"gas": 1_000_000, "height": 7, "timestamp": 1_700_000_000}


def word(number):
    return number.to_bytes(32, "big")


def machine_with(traits, *listings):
    """A machine where the listings stand at FIRST, SECOND and THIRD."""
    machine = Machine(traits)
    for address, listing in zip((FIRST, SECOND, THIRD), listings, strict=False):
        assert machine.execute(CALLER, b"", creation_of(assemble(listing)), create_at=address, **ROOM).success
    return machine


def run(machine, **room):
    return machine.execute(CALLER, FIRST, b"", **{**ROOM, **room})


def slots(machine, address, *numbers):
    return [int.from_bytes(machine.slot(address, word(number)), "big") for number in numbers]


# The gas of nested calls

METER = "GAS 0 SSTORE STOP"


def test_a_cap_on_nested_gas_is_ignored():
    for uncapped in (False, True):
        machine = machine_with(Traits(nested_gas_uncapped=uncapped), f"{call(SECOND, gas=30_000)} STOP", METER)
        run(machine)
        (seen,) = slots(machine, SECOND, 0)
        assert (seen > 900_000) is uncapped


def test_a_callee_is_not_charged():
    listing = f"GAS {call(SECOND)} POP GAS SWAP1 SUB 0 MSTORE 32 0 RETURN"
    spent = {}
    for uncapped in (False, True):
        machine = machine_with(Traits(nested_gas_uncapped=uncapped), listing, "1 1 SSTORE STOP")
        spent[uncapped] = int.from_bytes(run(machine).output, "big")
    assert spent[False] > 20_000
    assert 0 < spent[True] < 5_000


def test_an_endless_receiver_ends_with_the_scheduler():
    endless = ":again NUMBER POP @again JUMP"
    listing = f"1 1 SSTORE {call(SECOND, gas=50_000)} POP STOP"
    plain = machine_with(Traits(), listing, endless)
    assert run(plain, gas=10_000_000).success
    machine = machine_with(Traits(nested_gas_uncapped=True, work_max=500_000), listing, endless)
    done = run(machine, gas=10_000_000)
    assert (done.success, done.failure) == (
        False,
        "panic: the transaction did more work than the platform's scheduler waits for",
    )
    assert slots(machine, FIRST, 1) == [0]
    assert run(machine, gas=10_000_000).failure == done.failure, "the next transaction has all its work again"


def test_work_is_counted_over_all_frames_where_it_is_not_charged():
    burn = "NUMBER POP 1000 0 KECCAK256 POP 60000 MLOAD POP STOP"
    twenty = f"{call(SECOND)} POP " * 20 + "STOP"
    for work, enough in ((250_000, False), (2_500_000, True)):
        machine = machine_with(Traits(nested_gas_uncapped=True, work_max=work), twenty, burn)
        assert run(machine).success is enough


# Writes that outlive their frame


def test_writes_of_callees_persist_after_their_caller_reverts():
    """FIRST calls SECOND, which writes, calls THIRD, which writes, and reverts."""
    first = f"1 1 SSTORE {call(SECOND)} 2 SSTORE STOP"
    second = f"1 1 SSTORE {call(THIRD)} POP 0 0 REVERT"
    third = "1 1 SSTORE 0 0 LOG0 STOP"
    for persist in (False, True):
        machine = machine_with(Traits(nested_writes_persist=persist), first, second, third)
        done = run(machine)
        assert (done.success, done.logs) == (True, ()), "events of a failed frame and below it are dropped"
        assert [slots(machine, address, 1) for address in (FIRST, SECOND, THIRD)] == [[1], [0], [int(persist)]]
        assert {write.address for write in done.writes} == ({FIRST, THIRD} if persist else {FIRST})


@pytest.mark.parametrize("ending", ["0 0 REVERT", "INVALID"])
def test_nothing_persists_where_the_transaction_fails(ending):
    for buffers in (False, True):
        traits = Traits(nested_writes_persist=True, frames_buffer_writes=buffers)
        machine = machine_with(traits, f"{call(SECOND)} POP {ending}", "1 1 SSTORE STOP")
        assert run(machine).writes == ()
        assert slots(machine, SECOND, 1) == [0]


# Re-entrancy: FIRST locks, calls SECOND, which calls FIRST again

REENTRANT = f"CALLDATASIZE @inner JUMPI 1 0 SSTORE {call(SECOND)} POP 0 SLOAD 1 SSTORE STOP :inner 0 SLOAD 2 SSTORE 7 0 SSTORE STOP"
BACK = f"0 0 1 0 0 0x{FIRST.hex()} GAS CALL POP STOP"


def test_an_inner_frame_does_not_see_the_outer_frames_writes():
    machine = machine_with(Traits(), REENTRANT, BACK)
    run(machine)
    assert slots(machine, FIRST, 0, 1, 2) == [7, 7, 1]

    machine = machine_with(Traits(frames_buffer_writes=True), REENTRANT, BACK)
    done = run(machine)
    assert slots(machine, FIRST, 2) == [0], "the lock was not seen"
    assert slots(machine, FIRST, 0, 1) == [1, 1], "the outer frame keeps what it wrote and overwrites the inner one's"
    assert [(int.from_bytes(write.slot, "big"), int.from_bytes(write.value, "big")) for write in done.writes] == [
        (2, 0),
        (0, 1),
        (1, 1),
    ]


def test_what_a_frame_has_read_it_does_not_read_again_nor_flush():
    first = f"CALLDATASIZE @inner JUMPI 0 SLOAD POP {call(SECOND)} POP 0 SLOAD 1 SSTORE STOP :inner 7 0 SSTORE STOP"
    for buffers, seen in ((False, 7), (True, 0)):
        machine = machine_with(Traits(frames_buffer_writes=buffers), first, BACK)
        run(machine)
        assert slots(machine, FIRST, 0, 1) == [7, seen]


def test_what_a_frame_has_not_touched_it_reads_from_the_inner_frame():
    first = f"CALLDATASIZE @inner JUMPI {call(SECOND)} POP 0 SLOAD 1 SSTORE STOP :inner 7 0 SSTORE STOP"
    machine = machine_with(Traits(frames_buffer_writes=True), first, BACK)
    run(machine)
    assert slots(machine, FIRST, 0, 1) == [7, 7]


def test_a_frame_that_fails_flushes_nothing():
    machine = machine_with(Traits(frames_buffer_writes=True), f"{call(SECOND)} POP STOP", "1 1 SSTORE 0 0 REVERT")
    assert run(machine).writes == ()


# The rest


def test_a_static_call_can_write():
    for can in (False, True):
        machine = machine_with(
            Traits(static_can_write=can), f"{call(SECOND, opcode='STATICCALL')} 1 SSTORE STOP", "1 1 SSTORE STOP"
        )
        run(machine)
        assert (slots(machine, FIRST, 1), slots(machine, SECOND, 1)) == ([int(can)], [int(can)])


@pytest.mark.parametrize("opcode", ["CALL", "STATICCALL"])
def test_who_a_called_contract_sees(opcode):
    first = f"{call(SECOND, opcode=opcode)} POP RETURNDATASIZE 0 0 RETURNDATACOPY RETURNDATASIZE 0 RETURN"
    for callers, seen in ((False, FIRST), (True, CALLER)):
        machine = machine_with(Traits(nested_sender_is_callers=callers), first, answer("CALLER"))
        assert run(machine).output[12:] == seen


def test_logs_of_callees_stand_first():
    first = f"0 0 LOG0 {call(SECOND)} POP 0 0 LOG0 STOP"
    for callees_first, order in ((False, [FIRST, SECOND, FIRST]), (True, [SECOND, FIRST, FIRST])):
        machine = machine_with(Traits(callee_logs_first=callees_first), first, "0 0 LOG0 STOP")
        assert [log.address for log in run(machine).logs] == order


@pytest.mark.parametrize("uncapped", [False, True])
def test_calls_nest_no_deeper_than_the_platform_allows(uncapped):
    """A contract that calls itself and counts: one slot a frame, keyed by the gas price of nothing but its depth."""
    deeper = f"0 SLOAD 1 ADD 0 SSTORE {call(FIRST)} POP STOP"
    machine = machine_with(Traits(call_depth=5, nested_gas_uncapped=uncapped), deeper)
    assert run(machine).success
    assert slots(machine, FIRST, 0) == [6]


def test_a_call_that_fails_for_its_depth_is_a_failure_to_the_caller():
    machine = machine_with(Traits(call_depth=0), answer(call(SECOND)), "STOP")
    assert run(machine).output == word(0)
