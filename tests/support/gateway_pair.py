"""The Solidity gateway and the chaincode side by side, each with one end of a lane: every step is taken at both, and compared."""

import hashlib
import random
from dataclasses import replace

from adapters.solidity import administration, calldata
from adapters.solidity.administration import Caps
from adapters.solidity.contracts import contract
from light_clients.crypto.secp256k1 import sign
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, genesis
from schemas.lane import Lane
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import BlockHash, Bytes32, ChainWord, Head
from schemas.suites import EVM, keccak256
from tests.support.chaincode_process import NAME, ChaincodeRefusal, decode_log, topics_of
from tests.support.evm_world import SIGNERS, START, EvmChain, Refused, account, make_end

PEER = b"\xab" * 20
PEER_WORD = ChainWord(keccak256(b"chain word of the peer"))
PEER_CODE = keccak256(b"code of the peer")
BLOCK = BlockHash(keccak256(b"block"))


class Side:
    """One of the two gateways, with a lane of its own and the history of that lane."""

    def __init__(self, word, gateway, verifier, end, suite):
        self.word, self.gateway, self.verifier, self.end, self.suite = word, gateway, verifier, end, suite
        self.now = START
        ends = ((word, gateway), (PEER_WORD, PEER)) if end == 0 else ((PEER_WORD, PEER), (word, gateway))
        self.lane = Lane("hub", suite, *ends[0], *ends[1], "main")
        self.messages, self.outcomes = [], []

    @property
    def lane_id(self):
        return self.lane.lane_id

    def ids(self):
        return [message.message_id(self.suite, self.lane_id) for message in self.messages]

    def outcome_ids(self):
        return [entry.outcome_id(self.suite, self.lane_id) for entry in self.outcomes]

    def head(self, direction, nonce):
        entries = self.ids() if direction == Direction.OUTBOX else self.outcome_ids()
        return fold_all(self.suite, genesis(self.suite, self.lane_id, direction), entries[:nonce])

    def claim(self, nonce):
        direction = Direction.OUTBOX if self.end else Direction.OUTCOMES
        return Claim(self.lane_id, direction, nonce, Head(self.head(direction, nonce)), 7, BLOCK)

    def attest(self, claim, signers=(0, 1), forged=False):
        digest = attestation_digest(self.suite, Place(self.word, self.gateway, self.verifier, 1), claim)
        keys = [keccak256(b"forger") if forged else key for key, _ in SIGNERS]
        return calldata.committee_proof(1, [(index, sign(keys[index], digest)) for index in signers])

    def step(self, label, data):
        """(None, events) where it goes through, else (name of the refusal and its numbers, nothing)."""
        try:
            return None, self.transact(label, data)
        except (Refused, ChaincodeRefusal) as refusal:
            arguments = refusal.arguments
            values = arguments.values() if isinstance(arguments, dict) else arguments
            return (refusal.name, [value for value in values if isinstance(value, int)]), []

    def administer(self, action):
        refusal, _ = self.execute(action)
        assert refusal is None, refusal

    def execute(self, action):
        """Propose and approve an action, and say how its execution ends."""
        self.act("officer 0", administration.propose(action))
        number = self.view("proposals")[0]
        self.act("officer 1", administration.approve(number))
        return self.step("officer 2", administration.execute(number, action))

    def act(self, label, data):
        refusal, events = self.step(label, data)
        assert refusal is None, refusal
        return events


class EvmSide(Side):
    """The Solidity gateway."""

    accounts = "address"

    def __init__(self, end):
        self.chain = EvmChain("beta")
        made = make_end(self.chain)
        self._events = topics_of(contract("Gateway").abi)
        super().__init__(self.chain.word, made.gateway, made.committee, end, EVM)
        self.receivers = {
            "mailbox": self.chain.create("Mailbox", made.gateway),
            "reverting": self.chain.create("Reverting"),
            "nobody": account("nobody"),
        }
        self.moody = self.chain.create("test/Moody")

    def account(self, label):
        return account(label)

    def transact(self, label, data):
        self.chain.now = self.now
        return self.logs_of(self.chain.transact(account(label), self.gateway, data))

    def logs_of(self, done):
        return [
            decode_log(self._events, topics, data) for address, topics, data in done.logs if address == self.gateway
        ]

    def view(self, function, *values):
        self.chain.now = self.now
        answer = self.chain.view(self.gateway, "Gateway", function, *values)
        return (answer,) if len(contract("Gateway").functions[function].outputs) == 1 else answer

    def send(self, label, draft):
        return self.step(label, calldata.encode_send(self.lane_id, *draft))

    def send_as_program(self, draft):
        """Send as the program that refuses outcomes until it is mended."""
        self.chain.now = self.now
        data = calldata.encode_send(self.lane_id, *draft)
        done = self.chain.call(account("anybody"), self.moody, "test/Moody", "forward", self.gateway, data)
        return None, self.logs_of(done)

    def mend(self):
        self.chain.call(account("anybody"), self.moody, "test/Moody", "mend")


class ChaincodeSide(Side):
    """The Fabric gateway."""

    accounts = "bytes"

    def __init__(self, end, process, suite):
        self._process = process
        self.receivers = {name: application(name) for name in ("mailbox", "reverting", "nobody")}
        self.moody = application("moody")
        word = ChainWord(keccak256(b"chain word fabric"))
        super().__init__(word, NAME, NAME, end, suite)
        officers = [process.account(f"officer {number}") for number in range(3)]
        signers = [account(f"signer {number}") for number in range(3)]
        organisations = [organisation for _, organisation in SIGNERS]
        settings = (word, officers, process.account("guardian"), 0, 60, NAME.decode(), "secp256k1", False)
        self.act("deployer", process.encode("configure", *settings, signers, organisations, 2))

    def account(self, label):
        return self._process.account(label)

    def transact(self, label, data):
        return self._process.call(label, data, self.now)[1]

    def view(self, function, *values):
        interface = contract("Gateway", accounts="bytes")
        return interface.decode(
            function, self._process.call("relayer", interface.encode(function, *values), self.now)[0]
        )

    def send(self, label, draft):
        """Send, then seal what was sent: the two steps of this ledger are one of the other."""
        try:
            ticket = self._process.call(label, calldata.encode_send(self.lane_id, *draft), self.now)[2]
        except ChaincodeRefusal as refusal:
            return (refusal.name, [value for value in refusal.arguments if isinstance(value, int)]), []
        return self.step("relayer", self._process.encode("seal", self.lane_id, [ticket]))

    def send_as_program(self, draft):
        """Send as the application that refuses outcomes until it is mended, and seal."""
        arguments = calldata.encode_send(self.lane_id, *draft)[4:]
        data = self._process.encode("callApplication", "moody", arguments)
        ticket = self._process.call("anybody", data, self.now)[2]
        return self.step("relayer", self._process.encode("seal", self.lane_id, [ticket]))

    def mend(self):
        self.act("anybody", self._process.encode("callApplication", "moody", b"mend"))


def application(name):
    """The account of an application inside the chaincode."""
    return b"\x01" + hashlib.sha256(name.encode()).digest()


class Pair:
    """Both gateways, each with one end of a lane, and the random steps."""

    def __init__(self, process, end, seed, suite):
        self.random = random.Random(seed)
        self.end = end
        self.sides = (EvmSide(end), ChaincodeSide(end, process, suite))
        caps = Caps(max_payload=64, max_gas=300_000, window_limit=6)
        for side in self.sides:
            action = administration.open_lane(side.lane, end, side.verifier, PEER_CODE, caps, accounts=side.accounts)
            side.administer(action)
            if end == 0:
                sender = side.account("sender")
                side.administer(administration.allow_sender(side.lane_id, sender, 5, accounts=side.accounts))
            else:
                for name in ("mailbox", "reverting"):
                    receiver = side.receivers[name]
                    side.administer(administration.allow_receiver(side.lane_id, receiver, accounts=side.accounts))
        self.refusals = set()
        self.statuses = set()

    def both(self, take):
        """Take a step at both sides and compare; returns whether it went through."""
        (first, here), (second, there) = ends = [take(side) for side in self.sides]
        assert first == second
        if first is not None:
            self.refusals.add(first[0])
            return False
        assert [told(event) for event in here] == [told(event) for event in there]
        for side, (_, events) in zip(self.sides, ends, strict=True):
            self.keep(side, events)
        return True

    def keep(self, side, events):
        """Add what the events say to the side's history, and hold every id and head to what `schemas` computes."""
        for name, values in events:
            if name == "MessageSent":
                payload = values["payload"]
                fields = [values[key] for key in ("sender", "receiver", "expiresAt", "gasLimit", "callbackGas")]
                hashed = Bytes32(side.suite.hash(payload))
                side.messages.append(Message(values["nonce"], *fields, len(payload), hashed, payload))
                assert values["messageId"] == side.ids()[-1]
                assert values["head"] == side.head(Direction.OUTBOX, values["nonce"])
            elif name == "MessageDelivered":
                assert values["messageId"] == side.ids()[values["nonce"] - 1]
                message = side.messages[values["nonce"] - 1].without_payload()
                side.outcomes.append(Settled(message, Status(values["status"]), values["result"]))
                self.statuses.add(values["status"])
        for name, values in events:
            if name == "HeadMoved":
                direction = Direction.OUTBOX if values["direction"] == 2 else Direction.OUTCOMES
                assert values["head"] == side.head(direction, values["nonce"])

    def compare_views(self):
        seen = []
        for side in self.sides:
            (view,) = side.view("lane", side.lane_id)
            heads = side.view("heads", side.lane_id)
            consumed = view[10] if self.end == 0 else view[11]
            if self.end == 0:
                computed = (side.head(0, view[9]), bytes(32), bytes(32), side.head(1, consumed))
            else:
                computed = (bytes(32), side.head(1, consumed), side.head(0, consumed), bytes(32))
            assert tuple(heads) == tuple(map(bytes, computed))
            seen.append((view[:5], view[8:13], side.view("paused")))
        assert seen[0] == seen[1]

    def pass_time(self):
        seconds = self.random.choice([1, 7, 61])
        for side in self.sides:
            side.now += seconds

    def administrate(self):
        """One step of an officer or the guardian, most often one that changes little."""
        choice = self.random.choice(["pause", "pause lane", "verifier", "caps", "stranger", "close"])
        if choice == "close" and (len(self.sides[0].messages) < 20 or self.random.random() < 0.8):
            return
        for side in self.sides:
            accounts = side.accounts
            if choice == "pause":
                side.act("guardian", administration.pause())
            elif choice == "pause lane":
                side.act("guardian", administration.pause_lane(side.lane_id))
            elif choice == "verifier":
                side.administer(administration.set_verifier(side.lane_id, side.verifier, accounts=accounts))
        if choice == "close":
            self.both(lambda side: side.execute(administration.close_lane(side.lane_id)))
        elif choice == "caps":
            payload = self.random.choice([40, 64, 80])
            caps = Caps(max_payload=payload, max_gas=300_000, window_limit=6)
            self.both(lambda side: side.step("officer 0", administration.lower_caps(side.lane_id, caps)))
        elif choice == "stranger":
            self.both(lambda side: side.step("stranger", administration.pause_lane(side.lane_id)))
        elif choice.startswith("pause"):
            self.consume()
            for side in self.sides:
                action = administration.unpause() if choice == "pause" else administration.unpause_lane(side.lane_id)
                side.administer(action)

    # Destination

    def arrive(self):
        """The peer sends a message."""
        name = self.random.choice(["mailbox", "mailbox", "reverting", "reverting", "nobody", "short"])
        payload = self.random.randbytes(self.random.choice([0, 1, 30, 64, 65]))
        gas = self.random.choice([100_000, 200_000, 200_000, 300_001])
        expires_at = self.random.choice([0, 0, self.sides[0].now + 5])
        for side in self.sides:
            receiver = b"\x01" * 5 if name == "short" else side.receivers[name]
            nonce = len(side.messages) + 1
            hashed = Bytes32(side.suite.hash(payload))
            side.messages.append(Message(nonce, PEER, receiver, expires_at, gas, 0, len(payload), hashed, payload))

    def consume(self):
        """Deliver or settle some of what there is, rightly or with one thing wrong."""
        side = self.sides[0]
        known = len(side.messages) if self.end else len(side.outcomes)
        if not known:
            return
        done = side.view("lane", side.lane_id)[0][11 if self.end else 10]
        first = self.random.choice([1, done + 1, done + 1, done + 1, done + 2])
        last = self.random.randint(min(first, known), known)
        suffix = self.random.randint(0, known - last)
        wrong = self.random.choice(["", "", "", "", *WRONG])
        self.both(lambda side: side.step("relayer", self.consumption(side, (first, last, suffix), wrong)))

    def consumption(self, side, place, wrong):
        first, last, suffix = place
        entries = side.messages if self.end else side.outcomes
        ids = side.ids() if self.end else side.outcome_ids()
        claim = side.claim(last + suffix)
        proof = side.attest(claim, signers=(0,) if wrong == "one signer" else (0, 1), forged=wrong == "forged")
        given, later = list(entries[first - 1 : last]), ids[last : last + suffix]
        if wrong == "altered" and given:
            given[-1] = altered(given[-1])
        elif wrong == "payload" and given:
            given[-1] = with_payload(given[-1], b"jello")
        elif wrong == "by hash":
            given = [entry.without_payload() if self.end else entry for entry in given]
        elif wrong == "one twice":
            given = given[:1] + given
        elif wrong == "suffix":
            later = [*later, b"\x05" * 32]
        elif wrong == "nonce":
            claim = replace(claim, nonce=claim.nonce + 1)
        elif wrong == "height":
            claim = replace(claim, height=claim.height + 1)
        elif wrong == "direction":
            claim = replace(claim, direction=Direction(1 - claim.direction))
        elif wrong == "lane":
            claim = replace(claim, lane_id=type(side.lane_id)(b"\x01" * 32))
        elif wrong == "no proof":
            proof = b""
        elif wrong == "long proof":
            proof += bytes(32)
        encode = calldata.encode_deliver if self.end else calldata.encode_settle
        return encode(side.lane_id, given, later, claim, proof)

    def anchor(self):
        """Anchor a head, and now and then use it."""
        side = self.sides[0]
        known = len(side.messages) if self.end else len(side.outcomes)
        if not known:
            return
        place = self.random.randint(1, known)
        until = self.random.randint(place, known)
        use = self.random.random() < 0.5
        direction = 0 if self.end else 1

        def anchoring(side):
            ids = side.ids() if self.end else side.outcome_ids()
            claim = side.claim(until)
            head = side.head(direction, place)
            return calldata.encode_anchor(side.lane_id, direction, head, ids[place:until], claim, side.attest(claim))

        self.both(lambda side: side.step("relayer", anchoring(side)))
        if use:
            done = side.view("lane", side.lane_id)[0][11 if self.end else 10]
            if done < place:
                self.both(lambda side: side.step("relayer", self.consumption(side, (done + 1, place, 0), "no proof")))

    # Source

    def send(self):
        label = self.random.choice(["sender", "sender", "sender", "stranger"])
        receiver = self.random.choice([PEER, PEER, PEER, b"short"])
        payload = self.random.randbytes(self.random.choice([0, 10, 64, 65]))
        gas = self.random.choice([100_000, 300_000, 300_001])
        callback_gas = self.random.choice([0, 0, 0, 0, 1, 600_000])
        expires_at = self.random.choice([0, self.sides[0].now + 59, self.sides[0].now + 60])
        draft = (receiver, payload, gas, callback_gas, expires_at)
        self.both(lambda side: side.send(label, draft))

    def conclude(self):
        """The peer comes to an outcome, now and then of a message that was never sent."""
        status = Status(self.random.randint(1, 4))
        result = self.random.randbytes(self.random.choice([0, 32, 256]))
        invented = self.random.random() < 0.05
        for side in self.sides:
            if len(side.outcomes) < len(side.messages):
                message = side.messages[len(side.outcomes)].without_payload()
                side.outcomes.append(Settled(message, status, result))
            elif invented and side.messages:
                last = side.messages[-1]
                message = replace(last.without_payload(), nonce=len(side.outcomes) + 1)
                forged = Settled(message, status, result)
                side.outcomes.append(forged)
                self.invented(side)
                side.outcomes.remove(forged)

    def settle_in_order(self, heard):
        """Settle everything that the peer came to."""
        side = self.sides[0]
        done, known = side.view("lane", side.lane_id)[0][10], len(side.outcomes)
        if done < known:
            self.both(
                lambda side: self.hear(heard, side.step("relayer", self.consumption(side, (done + 1, known, 0), "")))
            )

    def retry(self, heard):
        """Try a callback again, of any entry there is."""
        known = len(self.sides[0].outcomes)
        if known:
            place = self.random.randrange(known)
            self.both(
                lambda side: self.hear(
                    heard, side.step("relayer", calldata.encode_retry(side.lane_id, side.outcomes[place]))
                )
            )

    def hear(self, heard, end):
        heard.update(name for name, _ in end[1])
        return end

    def invented(self, side):
        refusal, _ = side.step("relayer", self.consumption(side, (len(side.outcomes), len(side.outcomes), 0), ""))
        assert refusal is not None
        self.refusals.add(refusal[0])


WRONG = (
    *("altered", "payload", "by hash", "one twice", "suffix", "nonce", "height", "direction", "lane"),
    *("no proof", "long proof", "forged", "one signer"),
)


def altered(entry):
    if isinstance(entry, Settled):
        return replace(entry, result=entry.result[:255] + b"\x01")
    return replace(entry, gas_limit=entry.gas_limit + 1)


def with_payload(entry, payload):
    if isinstance(entry, Settled):
        return replace(entry, message=replace(entry.message, payload=payload))
    return replace(entry, payload=payload)


def told(event):
    """What both ledgers' events have in common: everything but who stands where and what hashes it."""
    name, values = event
    plain = {key: value for key, value in values.items() if isinstance(value, int)}
    return name, plain, values.get("result", b""), values.get("payload", b"")
