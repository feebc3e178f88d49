"""Makes the golden vectors `tests/vectors/golden/{evm,sm}.json`: every id and digest of the protocol, in both suites.

A second implementation on purpose: nothing of `schemas` is imported. The words are put together here from
docs/protocol.md alone; Keccak-256 comes from pycryptodome and SM3 is written out below from GB/T 32905-2016. A test
runs this script again and compares. Run it with `python tests/vectors/make_golden.py`.
"""

import hashlib
import json
from pathlib import Path

from Crypto.Hash import keccak

UINT64_MAX = 2**64 - 1
MASK = 0xFFFFFFFF
FOLDER = Path(__file__).parent / "golden"


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def rotate(word: int, bits: int) -> int:
    bits %= 32
    return ((word << bits) | (word >> (32 - bits))) & MASK if bits else word


def sm3_compress(state: list[int], block: bytes) -> list[int]:
    """One 64-byte block, GB/T 32905-2016 section 5.3."""
    w = [int.from_bytes(block[4 * i : 4 * i + 4], "big") for i in range(16)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)
        w.append(x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = 0x79CC4519 if j < 16 else 0x7A879D8A
        ss1 = rotate((rotate(a, 12) + e + rotate(constant, j)) & MASK, 7)
        ss2 = ss1 ^ rotate(a, 12)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & MASK & g)
        tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & MASK
        tt2 = (gg + h + ss1 + w[j]) & MASK
        a, b, c, d = tt1, a, rotate(b, 9), c
        e, f, g, h = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
    return [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def sm3(data: bytes) -> bytes:
    padded = data + b"\x80" + b"\x00" * ((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    for start in range(0, len(padded), 64):
        state = sm3_compress(state, padded[start : start + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


HASHES = {"evm": keccak256, "sm": sm3}
TAGS = ("lane", "message", "outcome", "attestation", "step", "outcomes")


def pattern(label: str, size: int) -> bytes:
    """Bytes that look random and are the same on every run."""
    blocks = (hashlib.sha256(f"{label}/{i}".encode()).digest() for i in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def uint(value: int) -> bytes:
    return value.to_bytes(32, "big")


def hexadecimal(data: bytes) -> str:
    return "0x" + data.hex()


def chain_word(caip2: str, first_block: bytes) -> bytes:
    return hashlib.sha256(caip2.encode() + b"\x00" + first_block).digest()


CHAINS = [
    ("eip155", "1337", "eip155:1337"),
    ("eip155", "1", "eip155:1"),
    ("cosmos", "hub-1", "cosmos:hub-1"),
    ("cmaker", "chain1", "cmaker:chain1"),
    ("fisco", "group0", "fisco:group0"),
    ("fabric", "trade", "fabric:trade"),
    ("fabric", "x" * 32, "fabric:" + "x" * 32),
    ("fabric", "x" * 33, None),
    ("fabric", "trade.finance", None),
    ("fabric", "hashed-0123456789abcdef", None),
    ("cmaker", "贸易链", None),
]


def chain_words() -> list[dict[str, str]]:
    named = [
        (
            namespace,
            reference,
            plain or f"{namespace}:hashed-{hashlib.sha256(reference.encode()).hexdigest()[:16]}",
            f"first block of {reference}",
        )
        for namespace, reference, plain in CHAINS
    ]
    twins = [("eip155", "1337", "eip155:1337", f"twin {i}") for i in (1, 2)]  # one id, two ledgers
    return [
        {
            "namespace": namespace,
            "reference": reference,
            "caip2": caip2,
            "first_block": hexadecimal(pattern(block, 32)),
            "word": hexadecimal(chain_word(caip2, pattern(block, 32))),
        }
        for namespace, reference, caip2, block in named + twins
    ]


class Golden:
    """The vectors of one suite."""

    def __init__(self, suite: str) -> None:
        self.suite, self.h = suite, HASHES[suite]

    def tag(self, name: str) -> bytes:
        return self.h(f"relayhub/{self.suite}/{name}/v1".encode())

    def words(self, tag: str, *words: bytes) -> bytes:
        assert all(len(word) == 32 for word in words)
        return self.h(self.tag(tag) + b"".join(words))

    def lane(
        self,
        name: str,
        hub: str,
        source: bytes,
        source_gateway: bytes,
        destination: bytes,
        destination_gateway: bytes,
        channel: str,
    ):
        h = self.h
        lane_id = self.words(
            "lane", h(hub.encode()), source, h(source_gateway), destination, h(destination_gateway), h(channel.encode())
        )
        return {
            "name": name,
            "hub": hub,
            "source": hexadecimal(source),
            "source_gateway": hexadecimal(source_gateway),
            "destination": hexadecimal(destination),
            "destination_gateway": hexadecimal(destination_gateway),
            "channel": channel,
            "lane_id": hexadecimal(lane_id),
            "outbox_genesis": hexadecimal(lane_id),
            "outcomes_genesis": hexadecimal(self.words("outcomes", lane_id, uint(0))),
        }

    def lanes(self):
        a, b = chain_word("eip155:1337", pattern("block A", 32)), chain_word("eip155:1338", pattern("block B", 32))
        ga, gb = pattern("gateway A", 20), pattern("gateway B", 20)
        return [
            self.lane("there", "relayhub", a, ga, b, gb, "main"),
            self.lane("back", "relayhub", b, gb, a, ga, "main"),
            self.lane("another channel", "relayhub", a, ga, b, gb, "main-2"),
            self.lane("another hub", "relayhub-2", a, ga, b, gb, "main"),
            self.lane("other scripts", "枢纽", a, ga, b, gb, "канал Ω é"),
            self.lane("names of 64 bytes", "h" * 64, a, ga, b, gb, "贸" * 21 + "c"),
            self.lane("gateways of 1 and 64 bytes", "relayhub", a, b"\x00", b, pattern("gateway", 64), "main"),
            self.lane(
                "a contract name as gateway",
                "relayhub",
                chain_word("cmaker:chain1", pattern("block C", 32)),
                b"relayhub_gateway",
                a,
                ga,
                "main",
            ),
        ]

    def message(
        self,
        name: str,
        lane_id: bytes,
        payload: bytes,
        *,
        nonce=1,
        sender=None,
        receiver=None,
        expires_at=0,
        gas_limit=200_000,
        callback_gas=0,
        hash_only=False,
    ):
        h = self.h
        sender = pattern("sender", 20) if sender is None else sender
        receiver = pattern("receiver", 20) if receiver is None else receiver
        message_id = self.words(
            "message",
            lane_id,
            uint(nonce),
            h(sender),
            h(receiver),
            uint(expires_at),
            uint(gas_limit),
            uint(callback_gas),
            uint(len(payload)),
            h(payload),
        )
        return {
            "name": name,
            "lane_id": hexadecimal(lane_id),
            "message_id": hexadecimal(message_id),
            "message": {
                "nonce": str(nonce),
                "sender": hexadecimal(sender),
                "receiver": hexadecimal(receiver),
                "expires_at": str(expires_at),
                "gas_limit": str(gas_limit),
                "callback_gas": str(callback_gas),
                "payload_length": str(len(payload)),
                "payload_hash": hexadecimal(h(payload)),
                "payload": hexadecimal(b"" if hash_only else payload),
            },
        }

    def messages(self, lane_id: bytes, other_lane_id: bytes):
        make, top = self.message, UINT64_MAX
        text = b"\x01\x78\x1e" + "跨链消息，你好 👋🏽 привет".encode()[:30]
        rows = [
            make("empty payload", lane_id, b""),
            make("the same on another lane", other_lane_id, b""),
            make("中文 and emoji", lane_id, "跨链消息：你好，世界 👋🏽🌉".encode(), nonce=2, callback_gas=50_000),
            make("a text payload by hash only", lane_id, text, nonce=3, hash_only=True),
            make("the same text payload", lane_id, text, nonce=3),
            make(
                "every counter at its largest",
                lane_id,
                b"\x00",
                nonce=top,
                expires_at=top,
                gas_limit=top,
                callback_gas=top,
            ),
            make("every counter at its smallest", lane_id, b"\x00", nonce=1, gas_limit=0),
            make("accounts of 1 byte", lane_id, b"1", sender=b"\x00", receiver=b"\xff"),
            make(
                "accounts of 64 bytes",
                lane_id,
                b"64",
                sender=pattern("sender 64", 64),
                receiver=pattern("receiver 64", 64),
            ),
            make(
                "accounts of 32 and 33 bytes",
                lane_id,
                b"33",
                sender=pattern("s", 32),
                receiver=b"\x00" + pattern("r", 32),
            ),
            make("expires", lane_id, b"\x40", expires_at=1_800_000_000),
        ]
        sizes = (1, 31, 32, 33, 55, 56, 63, 64, 65, 135, 136, 137, 200, 1_000)  # around the hashes' block limits
        return rows + [
            make(f"{size} bytes", lane_id, pattern("payload", size), nonce=10 + i) for i, size in enumerate(sizes)
        ]

    def outcomes(self, message_id: bytes):
        rows = []
        for status in (1, 2, 3, 4):
            for size in (0, 1, 4, 31, 32, 33, 64, 100, 255, 256):
                result = pattern("result", size)
                outcome_id = self.words("outcome", message_id, uint(status), self.h(result))
                rows.append(
                    {
                        "name": f"status {status}, {size} bytes",
                        "outcome": {
                            "message_id": hexadecimal(message_id),
                            "status": status,
                            "result": hexadecimal(result),
                        },
                        "outcome_id": hexadecimal(outcome_id),
                    }
                )
        return rows

    def fold(self, name: str, start: bytes, ids: list[bytes]):
        heads, head = [], start
        for entry_id in ids:
            head = self.words("step", head, entry_id)
            heads.append(head)
        return {
            "name": name,
            "start": hexadecimal(start),
            "ids": [hexadecimal(i) for i in ids],
            "heads": [hexadecimal(i) for i in heads],
        }

    def attestation(self, name: str, **changed):
        h = self.h
        fields = {
            "chain": chain_word("eip155:1338", pattern("block B", 32)),
            "gateway": pattern("gateway B", 20),
            "verifier": pattern("verifier", 20),
            "epoch": 1,
            "lane_id": pattern("lane", 32),
            "direction": 0,
            "nonce": 1,
            "head": pattern("head", 32),
            "height": 1,
            "block_hash": pattern("block", 32),
            **changed,
        }
        f = fields
        digest = self.words(
            "attestation",
            f["chain"],
            h(f["gateway"]),
            h(f["verifier"]),
            uint(f["epoch"]),
            f["lane_id"],
            uint(f["direction"]),
            uint(f["nonce"]),
            f["head"],
            uint(f["height"]),
            f["block_hash"],
        )

        def shown(key: str):
            value = fields[key]
            return value if key == "direction" else str(value) if isinstance(value, int) else hexadecimal(value)

        return {
            "name": name,
            "digest": hexadecimal(digest),
            "place": {key: shown(key) for key in ("chain", "gateway", "verifier", "epoch")},
            "claim": {key: shown(key) for key in ("lane_id", "direction", "nonce", "head", "height", "block_hash")},
        }

    def attestations(self):
        top = UINT64_MAX
        return [
            self.attestation("outbox"),
            self.attestation("outcomes", direction=1),
            self.attestation("counters at their largest", epoch=top, nonce=top, height=top),
            self.attestation("height 0", height=0),
            self.attestation("gateway and verifier of 1 byte", gateway=b"\x01", verifier=b"\x02"),
            self.attestation("gateway and verifier of 64 bytes", gateway=pattern("g", 64), verifier=pattern("v", 64)),
            self.attestation("next epoch", epoch=2),
            self.attestation("another chain", chain=chain_word("eip155:1338", pattern("block C", 32))),
        ]

    def document(self):
        lanes = self.lanes()
        lane_id, other = (bytes.fromhex(lane["lane_id"][2:]) for lane in lanes[:2])
        messages = self.messages(lane_id, other)
        ids = [bytes.fromhex(row["message_id"][2:]) for row in messages]
        outcomes = self.outcomes(ids[0])
        outcome_ids = [bytes.fromhex(row["outcome_id"][2:]) for row in outcomes]
        genesis = bytes.fromhex(lanes[0]["outcomes_genesis"][2:])
        inputs = [b"", b"abc", *(pattern("hash", size) for size in (55, 56, 64, 135, 136, 137, 300))]
        return {
            "suite": self.suite,
            "hashes": [{"input": hexadecimal(data), "digest": hexadecimal(self.h(data))} for data in inputs],
            "tags": {name: hexadecimal(self.tag(name)) for name in TAGS},
            "chain_words": chain_words(),
            "lanes": lanes,
            "messages": messages,
            "outcomes": outcomes,
            "folds": [
                self.fold("outbox", lane_id, ids),
                self.fold("outcomes", genesis, outcome_ids),
                self.fold("nothing", lane_id, []),
            ],
            "attestations": self.attestations(),
        }


def golden_text(suite: str) -> str:
    """The golden file of one suite, as it stands on disk."""
    return json.dumps(Golden(suite).document(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for suite in HASHES:
        (FOLDER / f"{suite}.json").write_text(golden_text(suite), encoding="utf-8")


if __name__ == "__main__":
    main()
