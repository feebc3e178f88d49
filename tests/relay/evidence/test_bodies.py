"""Bodies above a lane's cap: kept as a record of the source's organisation, sent as a document, read at the destination."""

from types import SimpleNamespace

import pytest

from relay.errors import BadInput, NotAllowed
from relay.evidence import bodies
from relay.evidence.access_rules import Caller
from relay.evidence.bodies import LARGEST_PAYLOAD, fitting, is_beyond_every_lane
from relay.evidence.records import Records
from relay.store import Store
from schemas.payloads import DocumentPayload, RawPayload, decode_payload, encode_payload

LANE = ("alpha", "beta", "default")
CAPS = {"alpha": 100, "beta": 60}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    store = Store(f"sqlite:///{folder / 'hub.db'}")
    store.migrate()
    yield SimpleNamespace(store=store, records=Records(store, folder / "evidence"), folder=folder)
    store.close()


@pytest.fixture
def lane(monkeypatch):
    """An active lane whose ends carry 100 and 60 bytes."""
    row = SimpleNamespace(state="active", lane_id=b"\xaa" * 32)
    monkeypatch.setattr(bodies, "lane_row", lambda *_: row)
    monkeypatch.setattr(bodies, "lane_view", lambda _, chain, __: {"caps": {"maxPayload": CAPS[chain]}})
    return row


def fit(hub, size, **organisations):
    file = hub.folder / "正文.bin"
    file.write_bytes(b"\x5a" * size)
    payload = None if is_beyond_every_lane(str(file)) else encode_payload(RawPayload(data=file.read_bytes()))
    fitted = fitting(hub.store, hub.records, LANE, str(file), payload, **organisations)
    return payload, *fitted


def read(hub, identifier, organisation):
    with hub.records.open(identifier.hex(), Caller(organisation)) as (_, stored):
        return b"".join(stored.chunks())


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("size", [0, 57])
def test_what_both_ends_carry_is_sent_itself(hub, size):
    payload, fitted, record = fit(hub, size)
    assert (fitted, record) == (payload, None)


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("size", [58, 90, LARGEST_PAYLOAD + 1])
def test_what_one_end_does_not_carry_is_a_document(hub, size):
    payload, fitted, record = fit(hub, size)
    assert (payload is None) == (size > LARGEST_PAYLOAD)
    document = decode_payload(fitted)
    assert isinstance(document, DocumentPayload)
    assert document.record == record
    for organisation in ("alpha", "beta"):
        assert read(hub, record, organisation) == b"\x5a" * size
    with pytest.raises(NotAllowed):
        read(hub, record, "gamma")


@pytest.mark.usefixtures("lane")
def test_organisations_may_be_called_otherwise(hub):
    _, _, record = fit(hub, 200, owner="民政局", readers="税务局,公安局")
    assert read(hub, record, "公安局") == b"\x5a" * 200
    with pytest.raises(NotAllowed):
        read(hub, record, "beta")
    with pytest.raises(BadInput, match="names no organisation"):
        fit(hub, 200, owner="public")


def test_on_a_lane_that_does_not_work_nothing_is_kept(hub, lane):
    lane.state = "closed"
    before = hub.records.listed(Caller("alpha"))
    payload, fitted, record = fit(hub, 200)
    assert (fitted, record) == (payload, None)
    assert hub.records.listed(Caller("alpha")) == before


def test_a_file_that_is_not_there():
    with pytest.raises(BadInput, match="cannot be read"):
        is_beyond_every_lane("none")
