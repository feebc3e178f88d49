"""The sealed chain: every header by number and hash, kept in memory and, where there is a directory, in one file.

A record of the file is anvil's own block hash (32 bytes), the size of the header (4 bytes, big-endian) and the sealed
header in RLP; it is written before the block is shown, so a restarted front goes on with the same hashes. A `View` is the
chain as one endpoint shows it: the honest chain, or a fork of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from adapters.evm.devnet.errors import DevelopmentNetworkError, RpcError
from adapters.evm.devnet.header import (
    POSITION,
    Extra,
    Form,
    SealedHeader,
    header_hash,
    header_items,
    read_header,
    seal_header,
)
from adapters.evm.devnet.validators import Validators
from light_clients import rlp

FORK_VANITY = b"relayhub development fork".ljust(32, b"\x00")
"""The vanity of the first header of a fork: enough to change its hash."""


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A sealed header and the block of anvil's that it stands for.

    Attributes:
        header: The sealed header.
        anvil_hash: anvil's hash of the block, 32 bytes.
        document: The block as anvil serves it without full transactions; None until it is fetched after a restart.
    """

    header: SealedHeader
    anvil_hash: bytes
    document: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Fork:
    """A second run of headers for the same blocks.

    Attributes:
        start: The first height at which it differs.
        sealers: How many validators seal it at most; None: all, so that it is as valid as the first.
        headers: Its headers from `start` on.
        hashes: anvil's block hash to the fork's, both as quoted in JSON (`0x…`, ASCII).
    """

    start: int
    sealers: int | None = None
    headers: list[SealedHeader] = field(default_factory=list)
    hashes: dict[bytes, bytes] = field(default_factory=dict)

    def add(self, header: SealedHeader, anvil_hash: bytes) -> None:
        """Adds the next header."""
        self.headers.append(header)
        self.hashes[_quoted(anvil_hash)] = _quoted(header.hash)


class SealedChain:
    """All sealed headers of one network.

    Args:
        validators: Those who seal; their vote tally follows this chain.
        path: The file that keeps the headers over a restart, or None.
        form: Whose extraData the headers have.
        unlisted_from: The first header that lists no validators, as where a contract selects them; None lists them in all.
    """

    def __init__(
        self,
        validators: Validators,
        path: Path | None = None,
        form: Form = Form.QBFT,
        unlisted_from: int | None = None,
    ) -> None:
        self.validators = validators
        self.form = form
        self.unlisted_from = unlisted_from
        self.blocks: list[SealedBlock] = []
        self.sets: list[tuple[bytes, ...]] = []
        self.forks: list[Fork] = []
        self.hashes: dict[bytes, bytes] = {}
        self.numbers: dict[bytes, tuple[int, Fork | None]] = {}
        self._file: IO[bytes] | None = None
        if path is not None:
            self._read(path)
            self._file = path.open("ab")

    @property
    def height(self) -> int:
        """The newest sealed height; -1 before block 0."""
        return len(self.blocks) - 1

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def next_proposer(self) -> bytes:
        """Who proposes the next block, 20 bytes.

        Raises:
            RpcError: Too few validators are awake to seal.
        """
        return self.validators.proposer_after(self.blocks[-1].header.proposer)

    def seal(self, document: Mapping[str, Any]) -> SealedBlock:
        """Seals anvil's next block and adds it to the chain and to every fork.

        Args:
            document: The block as anvil answers `eth_getBlockByNumber` without full transactions.

        Returns:
            The sealed block, already kept.

        Raises:
            DevelopmentNetworkError: The block is not the next one, or its header has fields that we do not know.
            RpcError: Too few validators are awake to seal.
        """
        items = header_items(document)
        anvil_hash = bytes.fromhex(document["hash"][2:])
        number = int(document["number"], 16)
        if number and header_hash(items) != anvil_hash:  # anvil's block 0 has fields that its fork does not know
            raise DevelopmentNetworkError(
                f"anvil's headers have other fields than these {len(items)}; use anvil 1.7.1 or an older --hardfork."
            )
        if number != len(self.blocks):
            raise DevelopmentNetworkError(
                f"anvil's block is {number}, the next to seal is {len(self.blocks)}: another program mines on this "
                "anvil; stop it and start the network again."
            )
        header = self._first(items) if number == 0 else self._next(items)
        block = SealedBlock(header, anvil_hash, document)
        self._write(block)
        self._add(block)
        return block

    def fork(self, start: int, changes: Mapping[str, bytes], sealers: int | None = None) -> Fork:
        """Seals other headers from a height on, as validators who equivocate would.

        Args:
            start: The first height that differs, from 1 to the newest.
            changes: Header items to replace in the first, by JSON name (`stateRoot` and the like).
            sealers: How many validators seal it at most; None: all of them.

        Returns:
            The fork; it grows with the chain.

        Raises:
            RpcError: The height or a field is not one that can be forked.
        """
        if not 1 <= start <= self.height:
            raise RpcError(-32602, f"a fork starts at a height from 1 to {self.height}")
        fork = Fork(start, sealers)
        for block in self.blocks[start:]:
            self._extend(fork, block, changes)
        self.forks.append(fork)
        return fork

    def view(self, fork: Fork | None) -> View:
        """The chain as an endpoint shows it."""
        return View(self, fork)

    def _first(self, items: Sequence[bytes]) -> SealedHeader:
        """Block 0 names the validators and bears no seals, as Besu's genesis does."""
        return seal_header(items, Extra(self.validators.tally.validators, form=self.form), ())

    def _next(self, items: list[bytes]) -> SealedHeader:
        parent = self.blocks[-1].header
        items[POSITION["parentHash"]] = parent.hash
        proposer = items[POSITION["miner"]]
        vote = self.validators.vote_of(proposer, parent.number + 1)
        extra = Extra(self.validators.tally.validators, vote, form=self.form)
        if self.unlisted_from is not None and parent.number + 1 >= self.unlisted_from:
            extra = Extra((), form=self.form)
        return seal_header(items, extra, self.validators.sealing_keys())

    def _extend(self, fork: Fork, block: SealedBlock, changes: Mapping[str, bytes]) -> None:
        items = list(block.header.items)
        extra = replace(block.header.extra, seals=())
        if fork.headers:
            items[POSITION["parentHash"]] = fork.headers[-1].hash
        else:
            extra = replace(extra, vanity=FORK_VANITY)
            for name, value in changes.items():
                if POSITION.get(name, len(items)) >= len(items):
                    raise RpcError(-32602, f"a header here has no field {name!r}; use one of {', '.join(POSITION)}")
                items[POSITION[name]] = value
        sealers = extra.validators or self.sets[block.header.number]
        keys = [key for key in map(self.validators.keyring.key_of, sealers) if key is not None]
        header = seal_header(items, extra, keys[: fork.sealers])
        fork.add(header, block.anvil_hash)
        self.numbers[_quoted(header.hash)] = (header.number, fork)

    def _add(self, block: SealedBlock) -> None:
        sealed = _quoted(block.header.hash)
        self.sets.append(self.validators.tally.validators)
        self.blocks.append(block)
        self.hashes[_quoted(block.anvil_hash)] = sealed
        self.numbers[sealed] = (block.header.number, None)
        self.validators.tally.follow(block.header)
        for fork in self.forks:
            self._extend(fork, block, {})

    def _write(self, block: SealedBlock) -> None:
        if self._file is not None:
            encoded = block.header.rlp()
            self._file.write(block.anvil_hash + len(encoded).to_bytes(4, "big") + encoded)
            self._file.flush()

    def _read(self, path: Path) -> None:
        """Reads the file back; a record cut off by a crash is dropped, since it was never shown."""
        data = path.read_bytes() if path.exists() else b""
        position = 0
        for anvil_hash, encoded in _records(data):
            self._add(SealedBlock(read_header(encoded), anvil_hash))
            position += 36 + len(encoded)
        if position < len(data):
            with path.open("r+b") as file:
                file.truncate(position)


@dataclass(frozen=True, slots=True)
class View:
    """The chain as one endpoint shows it.

    Attributes:
        chain: All sealed headers.
        fork: The fork shown in place of the honest headers, or None.
    """

    chain: SealedChain
    fork: Fork | None

    def header(self, number: int) -> SealedHeader | None:
        """The header shown at a height, or None above the newest."""
        if not 0 <= number <= self.chain.height:
            return None
        if self.fork is not None and number >= self.fork.start:
            return self.fork.headers[number - self.fork.start]
        return self.chain.blocks[number].header

    def find(self, block_hash: str) -> SealedHeader | None:
        """The header with this hash, on the honest chain or any fork."""
        found = self.chain.numbers.get(block_hash.lower().encode())
        return None if found is None else View(self.chain, found[1]).header(found[0])

    def sealed(self, anvil_hash: bytes) -> bytes:
        """The hash shown for anvil's; both `0x…` in ASCII. What is no block hash of anvil's comes back as it is."""
        if self.fork is not None and anvil_hash in self.fork.hashes:
            return self.fork.hashes[anvil_hash]
        return self.chain.hashes.get(anvil_hash, anvil_hash)

    def anvil_hash(self, text: str) -> str:
        """Anvil's hash for a sealed one; what is no sealed hash comes back as it is."""
        found = self.chain.numbers.get(text.lower().encode())
        return text if found is None else "0x" + self.chain.blocks[found[0]].anvil_hash.hex()

    def block(self, header: SealedHeader, document: Mapping[str, Any]) -> dict[str, Any]:
        """Anvil's block as it is shown under a sealed header."""
        shown = {name: value for name, value in document.items() if name not in POSITION}
        transactions = [self._transaction(header, item) for item in document["transactions"]]
        grown = len(header.rlp()) - len(rlp.encode(list(header_items(document))))
        size = hex(int(document["size"], 16) + grown)
        return {**shown, **header.document(), "size": size, "transactions": transactions}

    @staticmethod
    def _transaction(header: SealedHeader, item: Any) -> Any:
        return {**item, "blockHash": "0x" + header.hash.hex()} if isinstance(item, dict) else item


def _quoted(block_hash: bytes) -> bytes:
    return b"0x" + block_hash.hex().encode()


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 36 <= len(data):
        size = int.from_bytes(data[position + 32 : position + 36], "big")
        if position + 36 + size > len(data):
            return
        yield data[position : position + 32], data[position + 36 : position + 36 + size]
        position += 36 + size
