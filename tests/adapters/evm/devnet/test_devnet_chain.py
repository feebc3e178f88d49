"""The sealed chain: parents, the file that survives a crash, forks, and hashes both ways."""

from itertools import pairwise

import pytest

from adapters.evm.devnet.chain import SealedChain
from adapters.evm.devnet.errors import DevelopmentNetworkError, RpcError
from adapters.evm.devnet.header import header_hash, header_items
from adapters.evm.devnet.validators import Keyring, Validators
from light_clients import qbft
from schemas.primitives import BlockHash
from tests.adapters.evm.devnet.devnet_samples import anvil_block, label
from tests.support.vectors import unhex


def chain_of(blocks, path=None, seed=b"seed of a test"):
    chain = SealedChain(Validators(Keyring(seed, 4)), path)
    extend(chain, blocks)
    return chain


def extend(chain, blocks):
    for _ in range(blocks):
        number = len(chain.blocks)
        parent = chain.blocks[-1].anvil_hash if chain.blocks else bytes(32)
        miner = chain.next_proposer() if chain.blocks else bytes(20)
        document = anvil_block(number, "london", parent)
        if number:
            document = rehashed(document | {"miner": "0x" + miner.hex()})
        chain.seal(document)


def rehashed(document):
    return document | {"hash": "0x" + header_hash(header_items(document)).hex()}


def test_headers_are_linked_by_sealed_hashes():
    chain = chain_of(6)
    headers = [block.header for block in chain.blocks]
    assert headers[0].items[0] == bytes(32)
    assert headers[0].extra.seals == ()
    for parent, child in pairwise(headers):
        assert child.items[0] == parent.hash
        assert len(child.extra.seals) == 4


def test_the_light_client_follows_a_set_that_changes():
    chain = chain_of(2)
    validators = chain.validators
    added = validators.keyring.new_address(validators.tally.validators)
    dropped = validators.tally.validators[1]
    validators.propose(added, add=True)
    extend(chain, 8)
    validators.propose(dropped, add=False)
    extend(chain, 12)
    assert added in validators.tally.validators
    assert dropped not in validators.tally.validators
    first = chain.blocks[1].header
    state = qbft.bootstrap(first.rlp(), BlockHash(first.hash), qbft.QbftConfiguration())
    for block in chain.blocks[2:]:
        state = qbft.apply(state, qbft.verify_header(state, block.header.rlp(), 1_800_001_000))
    assert state.block_hash == chain.blocks[-1].header.hash
    assert state.validators == validators.tally.validators


def test_headers_stop_listing_validators_and_forks_of_them_are_sealed_all_the_same():
    chain = chain_of(3)
    chain.unlisted_from = 5
    chain.validators.propose(chain.validators.keyring.new_address(()), add=True)
    extend(chain, 4)
    headers = [block.header for block in chain.blocks]
    assert [len(header.extra.validators) for header in headers] == [4, 4, 4, 4, 4, 0, 0]
    assert [header.extra.vote is None for header in headers[3:]] == [False, False, True, True]
    fork = chain.fork(6, {})
    assert [len(header.extra.seals) for header in (*headers[5:], *fork.headers)] == [4, 4, 4]


def test_a_restarted_chain_goes_on_with_the_same_hashes(tmp_path):
    path = tmp_path / "sealed-headers"
    before = chain_of(5, path)
    subject = before.validators.keyring.new_address(before.validators.tally.validators)
    before.validators.propose(subject, add=True)
    extend(before, 2)
    before.close()
    after = chain_of(0, path)
    assert [block.header for block in after.blocks] == [block.header for block in before.blocks]
    assert after.hashes == before.hashes
    assert after.sets == before.sets
    after.validators.propose(subject, add=True)
    extend(after, 1)
    assert subject in after.validators.tally.validators
    after.close()
    last = chain_of(0, path)
    assert last.height == 7
    last.close()


def test_a_record_cut_off_by_a_crash_is_dropped(tmp_path):
    path = tmp_path / "sealed-headers"
    chain_of(5, path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    chain = chain_of(0, path)
    assert chain.height == 3
    extend(chain, 1)
    chain.close()
    assert path.read_bytes() == whole


def test_a_block_out_of_order_is_refused():
    chain = chain_of(3)
    with pytest.raises(DevelopmentNetworkError, match="anvil's block is 4"):
        chain.seal(anvil_block(4))


def test_a_header_of_unknown_form_is_refused():
    chain = chain_of(3)
    with pytest.raises(DevelopmentNetworkError, match="other fields"):
        chain.seal(anvil_block(3) | {"hash": "0x" + "11" * 32})


def test_a_fork_is_validly_sealed_and_grows():
    chain = chain_of(6)
    fork = chain.fork(4, {"stateRoot": label("another state")})
    extend(chain, 2)
    assert [header.number for header in fork.headers] == [4, 5, 6, 7]
    first = chain.blocks[3].header
    state = qbft.bootstrap(first.rlp(), BlockHash(first.hash), qbft.QbftConfiguration())
    for header in fork.headers:
        state = qbft.apply(state, qbft.verify_header(state, header.rlp(), 1_800_001_000))
    honest, forked = chain.view(None), chain.view(fork)
    assert forked.header(3) == honest.header(3)
    assert forked.header(4).hash != honest.header(4).hash
    assert forked.header(4).items[3] == label("another state")
    assert forked.header(5).items[3] == honest.header(5).items[3]
    assert forked.header(8) is honest.header(8) is None
    for view in (honest, forked):
        header = view.header(6)
        quoted = b"0x" + chain.blocks[6].anvil_hash.hex().encode()
        assert view.sealed(quoted) == b"0x" + header.hash.hex().encode()
        assert view.anvil_hash("0x" + header.hash.hex()).encode() == quoted
        assert honest.find("0x" + header.hash.hex()) == header


@pytest.mark.parametrize("start", [0, 6])
def test_a_fork_starts_inside_the_chain(start):
    with pytest.raises(RpcError, match="from 1 to 5"):
        chain_of(6).fork(start, {})


@pytest.mark.parametrize("name", ["noField", "withdrawalsRoot"])
def test_a_fork_changes_fields_that_the_header_has(name):
    with pytest.raises(RpcError, match=name):
        chain_of(6).fork(2, {name: b""})


def test_a_shown_block_is_the_sealed_one():
    chain = chain_of(4)
    view = chain.view(None)
    transaction = {"hash": "0x" + "22" * 32, "blockHash": "0x" + chain.blocks[3].anvil_hash.hex()}
    document = {**chain.blocks[3].document, "transactions": [transaction]}
    shown = view.block(view.header(3), document)
    assert unhex(shown["hash"]) == view.header(3).hash
    assert unhex(shown["parentHash"]) == view.header(2).hash
    assert shown["transactions"] == [{"hash": transaction["hash"], "blockHash": shown["hash"]}]
    assert int(shown["size"], 16) == len(view.header(3).rlp()) + 4
    assert "excessBlobGas" not in shown


def test_what_is_no_hash_of_ours_stays():
    view = chain_of(2).view(None)
    assert view.sealed(b"0x" + b"11" * 32) == b"0x" + b"11" * 32
    assert view.anvil_hash("latest") == "latest"
    assert view.find("0x" + "11" * 32) is None
