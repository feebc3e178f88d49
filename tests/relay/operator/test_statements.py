"""Statements as the hub judges them: whose, when, how often, how large; what they may not be taken for; where they are shown."""

import asyncio
import time
from dataclasses import replace

import cbor2
import httpx
import orjson
import pytest
from pydantic import TypeAdapter
from sqlalchemy import select, update

from light_clients.crypto.secp256k1 import address_of, sign
from relay.attestations import claim_of, verifying_ends
from relay.statements import CLOCKS_APART_MS, INCIDENT_EVERY_S, hear
from relay.store.tables import attestations, claims, evidence_queue, incidents, operator_statements, operators
from relay.views.status import hub_status
from relay.views.status_text import render, render_operators
from relay.web.application import create_app
from relay.web.statements import BODY_MAX_BYTES, STATEMENTS_MAX
from schemas.attestation import attestation_digest
from schemas.primitives import BlockHash, Bytes32, ChainWord, SchemaError
from schemas.statement import Contradiction, Statement, check_statement, statement_digest
from tests.support.memory_hub import MemoryHub

NOW = 1_900_000_000.0
DUMP = TypeAdapter(Statement)
OUT = ("alpha", "beta")


@pytest.fixture
def hub(tmp_path):
    hub = MemoryHub(tmp_path)
    yield hub
    hub.close()


def statement(hub, name="three", chain="alpha", *, now=NOW, key=None, **changes):
    """One that the operator signed."""
    key = key or hub.signers[name]
    fields = {"code": "operator_client_frozen", "text": "", "height": 7, "at": round(now * 1000)}
    said = Statement(
        chain=ChainWord(hub.ledgers[chain].word),
        signer=address_of(hub.signers[name]),
        signature=b"",
        **fields | changes,
    )
    return replace(said, signature=sign(key, statement_digest(said)))


def heard(hub, *said, now=NOW):
    return [verdict.name or str(verdict.result) for verdict in hear(hub.context.store, said, now)]


def kept(hub):
    return hub.rows(operator_statements)


def proposed(hub):
    """A claim that the hub proposed."""
    hub.send(*OUT, b"hello")
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    return hub.rows(claims)[0]


def dispute(hub, row, *, now=NOW, **changes):
    own = {
        "claim": claim_of(row),
        "own_block_hash": BlockHash(row.block_hash),
        "own_nonce": row.nonce,
        "own_head": Bytes32(b"\x77" * 32),
    }
    contradiction = Contradiction(**own | changes)
    return statement(hub, now=now, code="operator_disputes_claim", contradiction=contradiction)


class TestWhatIsTaken:
    def test_the_newest_of_each_operator_and_ledger_is_kept(self, hub):
        assert heard(hub, statement(hub), statement(hub, chain="beta"), statement(hub, "one")) == ["accepted"] * 3
        later = statement(hub, now=NOW + 30, height=8)
        assert heard(hub, later, now=NOW + 30) == ["accepted"]
        other = statement(hub, now=NOW + 60, code="well")
        assert len(kept(hub)) == 3
        (row,) = [row for row in kept(hub) if row.height == 8]
        assert (row.since, row.heard_at) == (NOW, NOW + 30)
        assert heard(hub, other, now=NOW + 60) == ["accepted"]
        assert {row.since for row in kept(hub) if row.code == "well"} == {NOW + 60}

    def test_the_same_or_an_older_one_is_refused(self, hub):
        first, second = statement(hub), statement(hub, now=NOW + 10, code="well")
        assert heard(hub, second, now=NOW + 10) == ["accepted"]
        assert heard(hub, second, first, now=NOW + 20) == ["StatementOld"] * 2
        assert [row.code for row in kept(hub)] == ["well"]

    @pytest.mark.parametrize("apart_ms", [-CLOCKS_APART_MS - 1, CLOCKS_APART_MS + 1, -int(NOW * 1000)])
    def test_a_clock_far_from_the_hubs_is_refused(self, hub, apart_ms):
        assert heard(hub, statement(hub, at=int(NOW * 1000) + apart_ms)) == ["ClocksApart"]
        assert kept(hub) == []

    def test_one_a_second_is_kept_of_each_ledger(self, hub):
        soon = statement(hub, now=NOW + 0.5)
        assert heard(hub, statement(hub), statement(hub, chain="beta")) == ["accepted"] * 2
        assert heard(hub, soon, now=NOW + 0.5) == ["TooSoon"]
        assert heard(hub, soon, now=NOW + 1.5) == ["accepted"]

    def test_nobody_else_speaks_for_an_operator(self, hub):
        stranger = statement(hub, key=b"\x11" * 32)
        assert heard(hub, stranger) == ["SignerMismatch"]
        assert heard(hub, replace(stranger, signer=address_of(b"\x11" * 32))) == ["SignerUnknown"]
        assert heard(hub, replace(stranger, signature=b"")) == ["SignatureLength"]
        with hub.context.store.write() as connection:
            connection.execute(update(operators).where(operators.c.name == "three").values(state="struck"))
        assert heard(hub, statement(hub)) == ["SignerStruck"]
        assert kept(hub) == []

    @pytest.mark.parametrize("field", ["chain", "code", "text", "height", "at"])
    def test_every_field_is_signed(self, hub, field):
        said = statement(hub)
        others = {
            "chain": ChainWord(hub.ledgers["beta"].word),
            "code": "well",
            "text": "x",
            "height": 8,
            "at": said.at + 1,
        }
        assert heard(hub, replace(said, **{field: others[field]})) == ["SignerMismatch"]

    def test_what_the_hub_does_not_know_is_refused(self, hub):
        assert heard(hub, statement(hub, code="operator_sings")) == ["CodeUnknown"]
        said = statement(hub)
        assert heard(hub, replace(said, chain=ChainWord(b"\x99" * 32))) == ["LedgerUnknown"]

    @pytest.mark.parametrize("text", ["a\nb", "\x1b[2J", "\u202egnp", "\0", "x" * 201, "\u2028", "\ufeff"])
    def test_a_text_that_could_steer_a_screen_is_refused(self, text):
        said = Statement(ChainWord(b"\x01" * 32), "well", text, 0, 0, b"\x02" * 20, b"")
        with pytest.raises(SchemaError, match="printable"):
            check_statement(said)

    def test_it_changes_no_claim_and_no_operator(self, hub):
        row = proposed(hub)
        before = hub.rows(claims), hub.rows(operators), hub.rows(attestations)
        assert heard(hub, statement(hub), dispute(hub, row, now=NOW + 5), now=NOW + 5) == ["accepted", "TooSoon"]
        assert heard(hub, dispute(hub, row, now=NOW + 10), now=NOW + 10) == ["accepted"]
        assert (hub.rows(claims), hub.rows(operators), hub.rows(attestations)) == before


class TestDomains:
    def test_a_signature_of_a_claim_is_no_statement_and_the_other_way_round(self, hub):
        row, said = proposed(hub), statement(hub)
        with hub.context.store.read() as connection:
            end = verifying_ends(connection, {row.lane_id})[row.lane_id, row.direction]
        digest = attestation_digest(end.suite, end.place(row.epoch), claim_of(row))
        assert digest != statement_digest(said)
        assert heard(hub, replace(said, signature=sign(hub.signers["three"], digest))) == ["SignerMismatch"]
        hub.attest("three")
        (attestation,) = hub.rows(attestations)
        assert heard(hub, replace(said, signature=bytes(attestation.signature))) == ["SignerMismatch"]


class TestDisputes:
    def test_both_sides_are_an_incident_and_a_leaf(self, hub):
        row = proposed(hub)
        assert heard(hub, dispute(hub, row)) == ["accepted"]
        (incident,) = hub.rows(incidents)
        assert incident.name == "operator_disputes_claim"
        assert row.head.hex()[:8] in incident.text
        assert "77777777" in incident.text
        evidence = orjson.loads(incident.evidence)["statement"]
        assert evidence["contradiction"]["own_head"] == "0x" + "77" * 32
        assert evidence["contradiction"]["claim"]["head"] == "0x" + row.head.hex()
        assert heard(hub, DUMP.validate_python(evidence), now=NOW) == ["StatementOld"], "it can be checked again"
        leaves = [leaf for leaf in hub.rows(evidence_queue) if leaf.kind == "incident"]
        assert len(leaves) == 1
        assert b"operator_disputes_claim" in cbor2.dumps([leaves[0].fields])

    def test_it_is_one_incident_an_hour_for_each_lane(self, hub):
        row = proposed(hub)
        for after in (0, 60, INCIDENT_EVERY_S - 1, INCIDENT_EVERY_S + 1):
            assert heard(hub, dispute(hub, row, now=NOW + after), now=NOW + after) == ["accepted"]
        assert [incident.at for incident in hub.rows(incidents)] == [NOW, NOW + INCIDENT_EVERY_S + 1]

    @pytest.mark.parametrize("change", ["head", "nonce", "height", "lane_id"])
    def test_a_claim_that_the_hub_did_not_propose_cannot_be_disputed(self, hub, change):
        row = proposed(hub)
        claim = claim_of(row)
        others = {
            "head": type(claim.head)(b"\x55" * 32),
            "nonce": claim.nonce + 1,
            "height": 2**64 - 1,
            "lane_id": type(claim.lane_id)(b"\x55" * 32),
        }
        assert heard(hub, dispute(hub, row, claim=replace(claim, **{change: others[change]}))) == ["UnknownClaim"]
        assert hub.rows(incidents) == []

    def test_two_sides_that_say_the_same_are_none(self, hub):
        row = proposed(hub)
        assert heard(hub, dispute(hub, row, own_head=Bytes32(row.head))) == ["NoContradiction"]
        assert heard(hub, dispute(hub, row, own_head=Bytes32(bytes(32)))) == ["NoContradiction"]
        assert heard(hub, dispute(hub, row, own_nonce=row.nonce + 1)) == ["NoContradiction"]
        assert heard(hub, statement(hub, code="operator_disputes_claim")) == ["StatementMalformed"]
        assert hub.rows(incidents) == []
        assert heard(hub, dispute(hub, row, own_nonce=0, own_head=Bytes32(bytes(32)))) == ["accepted"]


class TestShown:
    def test_a_wait_says_what_the_operator_says_and_forgets_what_is_old(self, hub):
        proposed(hub)
        now = time.time()
        assert heard(hub, statement(hub, now=now, text="<b>mine</b>"), now=now) == ["accepted"]
        hub.attest("one")
        hub.age_claims()
        hub.lane_task(*OUT)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("operators_silent", "operators three, two")
        assert row.text.endswith(" three says that its light client of alpha is frozen.")
        assert "<b>" not in row.text
        with hub.context.store.write() as connection:
            connection.execute(update(operator_statements).values(heard_at=now - 1_000))
        hub.lane_task(*OUT)
        assert "three says" not in hub.wait_of("lane", *OUT).text

    def test_its_own_words_are_shown_as_they_are(self, hub):
        words = "节点离线 <script>alert('1')</script> & ok"
        assert heard(hub, statement(hub, text=words)) == ["accepted"]
        status = hub_status(hub.home, NOW)
        (said,) = next(row["says"] for row in status["operators"] if row["name"] == "three")
        assert (said["chain"], said["text"], said["height"], said["fresh"]) == ("alpha", words, 7, True)
        assert "its light client of alpha is frozen" in render_operators(status["operators"], NOW)
        (alarm,) = [alarm for alarm in status["alarms"] if alarm["code"] == "operator_client_frozen"]
        assert alarm["text"] == f"It says that its light client of alpha is frozen. {words}"
        assert alarm["text"] in render(status, NOW)

    def test_a_last_word_alarms_nobody(self, hub):
        assert heard(hub, statement(hub)) == ["accepted"]
        status = hub_status(hub.home, NOW + 3_600)
        assert "operator_client_frozen" not in [alarm["code"] for alarm in status["alarms"]]
        assert "(its last word)" in render_operators(status["operators"], NOW)


class TestInterface:
    @pytest.fixture
    def post(self, hub):
        app = create_app(hub.context.store, "hub", development=True, clock=lambda: NOW)

        def ask(content):
            async def call():
                transport = httpx.ASGITransport(app, raise_app_exceptions=False)
                async with httpx.AsyncClient(transport=transport, base_url="http://hub", timeout=60) as client:
                    headers = {"content-type": "application/json"}
                    return await client.post("/v1/statements", content=content, headers=headers)

            return asyncio.run(call())

        return ask

    def test_one_that_cannot_be_read_spoils_no_other(self, hub, post):
        good = DUMP.dump_python(statement(hub), mode="json")
        strange = [
            None,
            7,
            {},
            good | {"text": "\x1b[2J"},
            good | {"code": "é"},
            good | {"more": 1},
            good | {"height": -1},
        ]
        answer = post(orjson.dumps([*strange, good]))
        verdicts = answer.json()["verdicts"]
        assert [verdict.get("name", verdict["result"]) for verdict in verdicts] == ["StatementMalformed"] * 7 + [
            "accepted"
        ]
        assert len(kept(hub)) == 1

    def test_sizes_are_limited(self, hub, post):
        good = DUMP.dump_python(statement(hub), mode="json")
        assert post(orjson.dumps([good] * (STATEMENTS_MAX + 1))).status_code == 413
        assert post(b" " * (BODY_MAX_BYTES + 1)).status_code == 413
        assert post(b'[{"chain": "').status_code == 400
        assert post(b"").status_code == 400
        assert post(b"[]").json() == {"verdicts": []}
        assert kept(hub) == []

    def test_no_key_is_anywhere_at_the_hub(self, hub, post):
        assert post(orjson.dumps(DUMP.dump_python(statement(hub), mode="json"))).json()["verdicts"] == [
            {"result": "accepted"}
        ]
        with hub.context.store.read() as connection:
            row = connection.execute(select(operator_statements)).one()
        assert hub.signers["three"] not in b"".join(value for value in row if isinstance(value, bytes))
