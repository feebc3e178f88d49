"""A run of mutations fails when the judges differ and when something false is accepted, and says how to repeat it."""

import random

import pytest

from tests.mutations.judges import Mutation, Tally, judge
from tests.mutations.mutators import spoil, spoil_bytes, spoil_list, spoil_number


class Numbers:
    """A subject whose good input is 7; what each judge says of the others is given."""

    good = 7

    def __init__(self, python, solidity):
        self.answers = python, solidity

    def mutate(self, chance):
        return Mutation("number", chance.randrange(10))

    def python(self, value):
        return self.answers[0](value)

    def solidity(self, value):
        return self.answers[1](value)

    def same_meaning(self, verdict):
        return verdict == 7


def refuse(_):
    return None


def run(python, solidity):
    tally = Tally()
    judge(lambda: [Numbers(python, solidity)], 3, 50, tally)
    return tally


def test_what_both_refuse_is_counted_and_the_good_input_is_never_tried():
    tally = run(lambda value: pytest.fail("tried") if value == 7 else None, refuse)
    assert (tally.total, dict(tally.tried), dict(tally.accepted)) == (50, {"number": 50}, {"number": 0})


def test_what_both_accept_with_the_same_meaning_is_counted():
    assert run(lambda _: 7, lambda _: 7).accepted == {"number": 50}


@pytest.mark.parametrize(("python", "solidity"), [(lambda _: 7, refuse), (refuse, lambda _: 7)])
def test_a_difference_is_found(python, solidity):
    with pytest.raises(AssertionError, match=r"Python says .*, Solidity .*seed 3, mutation 0 of number"):
        run(python, solidity)


def test_another_meaning_is_found():
    with pytest.raises(AssertionError, match="accepted with another meaning, 8: seed 3, mutation 0"):
        run(lambda _: 8, lambda _: 8)


def test_spoilt_is_never_as_good():
    chance = random.Random(1)
    for _ in range(2_000):
        data = chance.randbytes(chance.randint(1, 70))
        fixed = spoil_bytes(chance, data, fixed=True)
        assert fixed != data
        assert len(fixed) == len(data)
        assert spoil_bytes(chance, data) != data
        number = chance.choice((0, 1, 255, 2**64 - 1))
        assert spoil_number(chance, number) != number
        assert 0 <= spoil_number(chance, 3, 3) <= 3


def test_every_leaf_of_a_record_is_reached():
    chance = random.Random(2)
    shape = ("uint8", [("bytes", "uint64")], "bytes32")
    good = (1, [(b"ab", 5), (b"cd", 6)], bytes(32))
    seen = [spoil(chance, good, shape) for _ in range(500)]
    assert {index for value in seen for index in range(3) if value[index] != good[index]} == {0, 1, 2}
    lengths = {len(value[1]) for value in seen}
    assert lengths == {1, 2, 3}
    assert any(entry[0] not in (b"ab", b"cd") for value in seen for entry in value[1])
    assert any(entry[1] not in (5, 6) for value in seen for entry in value[1])


def test_an_empty_list_stays_empty():
    assert spoil_list(random.Random(3), []) == []
