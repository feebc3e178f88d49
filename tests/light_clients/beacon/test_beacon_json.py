"""Answers of the Beacon API, read strictly."""

from __future__ import annotations

import copy
import json

import pytest

from light_clients import beacon
from light_clients.beacon.beacon_json import (
    MAXIMUM_JSON_SIZE,
    bundle_from_answer,
    configuration_from_answers,
    parse_answer,
)
from light_clients.beacon.types import FORKS
from light_clients.errors import ConfigurationInvalid, HeaderJsonInvalid, HeaderTooLarge
from schemas.primitives import BlockHash
from tests.support.shared_vectors import shared, shared_json

GENESIS, SPECIFICATION = shared_json("beacon_live/genesis.json"), shared_json("beacon_live/spec.json")
FIRST = shared_json("beacon_live/bootstrap_first.json")
UPDATE = shared_json("beacon_live/updates.json")[0]


def configured(**options):
    specification = {"data": {**SPECIFICATION["data"], **options}}
    return configuration_from_answers(GENESIS, specification, checkpoint_age_limit_s=3600)


def test_answers_of_a_node_lead_to_a_client():
    configuration = configured()
    assert [fork.name for fork in configuration.forks] == list(FORKS[:5])
    assert (configuration.preset, configuration.seconds_per_slot) == (beacon.MINIMAL, 1)
    answer = parse_answer(shared("beacon_live/bootstrap_first.json").read_text())
    bundle = bundle_from_answer("bootstrap", answer["bootstrap"], configuration.preset)
    state = beacon.bootstrap(bundle, BlockHash.from_hex(answer["root"]), configuration)
    update = bundle_from_answer("update", UPDATE, configuration.preset)
    now = configuration.timestamp_of(36)
    assert beacon.apply(state, beacon.verify_header(state, update, now)).following is not None


def test_a_configuration_names_every_scheduled_fork():
    options = {"ELECTRA_FORK_EPOCH": "5", "FULU_FORK_EPOCH": "7", "FULU_FORK_VERSION": "0x06000001"}
    assert configured(**options).forks[-1] == beacon.Fork("fulu", 7, bytes.fromhex("06000001"))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"PRESET_BASE": "gnosis"}, ConfigurationInvalid),
        ({"PRESET_BASE": 3}, ConfigurationInvalid),
        ({"SYNC_COMMITTEE_SIZE": "512"}, ConfigurationInvalid),
        ({"SLOTS_PER_EPOCH": None}, HeaderJsonInvalid),
        ({"SECONDS_PER_SLOT": "01"}, HeaderJsonInvalid),
        ({"DENEB_FORK_VERSION": "0x0400"}, HeaderJsonInvalid),
        ({"SECONDS_PER_SLOT": "0"}, ConfigurationInvalid),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(options, name):
    with pytest.raises(name):
        configured(**options)


@pytest.mark.parametrize("answer", [None, [], {"data": []}, {}])
def test_an_answer_without_data_is_refused(answer):
    with pytest.raises(HeaderJsonInvalid):
        configuration_from_answers(answer, SPECIFICATION, checkpoint_age_limit_s=1)


@pytest.mark.parametrize("text", ["", "{", '{"a": 1, "a": 2}', "[" * 200_000, b"\xff\xfe"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(HeaderJsonInvalid):
        parse_answer(text)


def test_a_long_answer_is_not_read():
    with pytest.raises(HeaderTooLarge):
        parse_answer(" " * (MAXIMUM_JSON_SIZE + 1))
    assert len(json.dumps(UPDATE)) < MAXIMUM_JSON_SIZE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), "gloas"),
        (("version",), "phase0"),
        (("version",), 3),
        (("data",), None),
        (("data", "attested_header", "beacon"), []),
        (("data", "attested_header", "beacon", "more"), "0"),
        (("data", "attested_header", "beacon", "slot"), 35),
        (("data", "attested_header", "beacon", "slot"), "035"),
        (("data", "attested_header", "beacon", "slot"), str(2**64)),
        (("data", "attested_header", "execution", "extra_data"), "0x" + "00" * 33),
        (("data", "attested_header", "execution", "extra_data"), "00"),
        (("data", "attested_header", "execution", "extra_data"), "0x0"),
        (("data", "finalized_header", "beacon", "state_root"), "0x00"),
        (("data", "finality_branch"), ["0x" + "00" * 32] * 7),
        (("data", "finality_branch"), {}),
        (("data", "sync_aggregate", "sync_committee_bits"), "0xff"),
        (("data", "next_sync_committee", "pubkeys", 3), 7),
    ],
)
def test_a_field_of_another_form_is_refused(path, value):
    answer = copy.deepcopy(UPDATE)
    place = answer
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(HeaderJsonInvalid):
        bundle_from_answer("update", answer, beacon.MINIMAL)


def test_kinds_and_missing_fields_are_refused():
    with pytest.raises(HeaderJsonInvalid):
        bundle_from_answer("block", UPDATE, beacon.MINIMAL)
    with pytest.raises(HeaderJsonInvalid):
        bundle_from_answer("finality_update", UPDATE, beacon.MINIMAL)
    with pytest.raises(HeaderJsonInvalid):
        bundle_from_answer("bootstrap", FIRST, beacon.MINIMAL)
