"""What is wrong with a certificate or a key is said in one sentence, before anything is sent; files are read again when they change."""

import time

import pytest

from adapters.chainmaker import credentials
from adapters.chainmaker.keys import P256, SM2
from adapters.chainmaker.simulator.authority import authority, issue, new_key
from adapters.chainmaker.simulator.material import write_file, write_pair
from adapters.protocol import Call, MemberRefused, Misconfigured, Rejected, Unreachable
from adapters.solidity.contracts import contract
from tests.support.chainmaker_lane import PEOPLE, open_one, put

MONTH_S = 30 * 24 * 3600


@pytest.fixture
def opened():
    """Opens ledgers, and closes them."""
    ledgers = []

    def open_it(network, **more):
        ledgers.append(open_one(network, **more))
        return ledgers[-1]

    yield open_it
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def asked(network, monkeypatch):
    """How many requests the first node gets from here on."""
    counted = []
    node, answer = network.nodes[0], network.nodes[0]._answer
    monkeypatch.setattr(node, "_answer", lambda *args: (counted.append(args), answer(*args))[1])
    return counted


def home(network):
    return network.nodes[0].organisation


def made(network, folder, stem, **told):
    """A member's certificate of the first organisation, written to a folder; returns its options."""
    first = home(network)
    issued = issue(first.root, new_key(P256), first.name, told.pop("unit", "client"), stem, **told)
    write_pair(folder / stem, issued)
    return {"member_certificate": str(folder / f"{stem}.crt"), "member_key": str(folder / f"{stem}.key")}


def tls_made(network, folder, stem, issuer, scheme=P256, **told):
    issued = issue(issuer, new_key(scheme), home(network).name, "ChainMaker", stem, usage="tls", **told)
    write_pair(folder / stem, issued)
    return {"tls_certificate": str(folder / f"{stem}.crt"), "tls_key": str(folder / f"{stem}.key")}


def refused(ledger, *words):
    with pytest.raises(Misconfigured) as caught:
        ledger.tip()
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


def test_a_member_whose_certificate_is_over_asks_nothing(network, opened, asked, tmp_path):
    refused(opened(network, **made(network, tmp_path, "over", years=-0.01)), "over.crt", "ended at", "renewed")
    assert asked == []


def test_a_member_whose_certificate_has_not_begun_asks_nothing(network, opened, asked, tmp_path):
    refused(opened(network, **made(network, tmp_path, "early", began_s_ago=-MONTH_S)), "not valid before", "clock")
    assert asked == []


def test_a_key_of_another_certificate_is_named(network, opened, asked, tmp_path):
    one, two = made(network, tmp_path, "one"), made(network, tmp_path, "two")
    ledger = opened(network, member_certificate=one["member_certificate"], member_key=two["member_key"])
    refused(ledger, "two.key does not belong", "one.crt")
    assert asked == []


def test_files_that_are_being_replaced_do_not_stop_anything(network, opened, tmp_path, monkeypatch):
    told = made(network, tmp_path, "member")
    ledger = opened(network, **told)
    height = ledger.tip()
    old = (tmp_path / "member.key").read_bytes()
    (tmp_path / "member.key").write_bytes(b"")
    assert ledger.tip() == height
    monkeypatch.setattr(credentials, "GRACE_S", 0.0)
    refused(ledger, "member.key", "is no key")
    (tmp_path / "member.key").write_bytes(old)
    assert ledger.tip() == height


def test_a_light_member_is_refused(network, opened, asked, tmp_path):
    refused(opened(network, **made(network, tmp_path, "light", unit="light")), "light member", "client")
    assert asked == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ("cannot be read", "No such file")),
        (b"", ("holds no P-256 or SM2 certificate",)),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ("holds no P-256 or SM2 certificate",)),
        (b"x" * (1024 * 1024 + 1), ("larger than 1 MiB",)),
    ],
)
def test_a_certificate_that_is_none_is_named(network, opened, asked, tmp_path, content, words):
    told = made(network, tmp_path, "member")
    path = tmp_path / "other.crt"
    if content is not None:
        path.write_bytes(content)
    refused(opened(network, **(told | {"member_certificate": str(path)})), "other.crt", *words)
    assert asked == []


def test_a_key_file_without_a_key_is_named_and_not_shown(network, opened, tmp_path):
    told = made(network, tmp_path, "member")
    secret = b"-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n"
    (tmp_path / "member.key").write_bytes(secret)
    assert "SECRET" not in refused(opened(network, **told), "member.key", "is no key")


def test_a_member_of_an_unknown_authority_is_told_so(network, opened, tmp_path):
    foreign = authority(P256, home(network).name)
    issued = issue(foreign, new_key(P256), home(network).name, "client", "foreign")
    write_pair(tmp_path / "foreign", issued)
    told = {"member_certificate": str(tmp_path / "foreign.crt"), "member_key": str(tmp_path / "foreign.key")}
    refused(opened(network, **told), "does not take the member", "foreign.crt", "organisations")


def test_a_frozen_member_is_told_so_until_it_is_thawed(own_network, opened):
    ledger = opened(own_network)
    assert ledger.tip() == 0
    certificate = home(own_network).client.pem
    own_network.freeze(certificate)
    refused(ledger, "revoked or frozen", "client1.sign.crt", "new one")
    own_network.freeze(certificate, thaw=True)
    assert ledger.tip() == 2


def test_a_revoked_member_is_told_so_and_a_renewed_one_goes_on(own_network, opened):
    first = home(own_network)
    ledger = opened(own_network)
    assert ledger.tip() == 0
    own_network.revoke(first.client, first)
    refused(ledger, "revoked or frozen", "client1.sign.crt")
    renewed = issue(first.root, new_key(P256), first.name, "client", "client1.sign")
    write_pair(own_network.folder / first.name / "user" / "client1" / "client1.sign", renewed)
    assert ledger.tip() == 1


def test_a_revoked_signer_cannot_send(own_network, opened):
    ledger = opened(own_network)
    name = put(own_network, ledger, contract("Idle").creation)
    key = first_client_key(own_network)
    own_network.revoke(home(own_network).client, home(own_network))
    other = opened(own_network, organisation=1)
    signed = opened(own_network).sign(key, 1, Call(name, b"\x01\x02\x03\x04", 0), 0)
    with pytest.raises(Misconfigured, match="revoked or frozen"):
        other.broadcast([signed.raw])


def first_client_key(network):
    return home(network).client.key.private


def test_a_key_without_a_certificate_is_told_what_to_do(network, opened):
    with pytest.raises(Misconfigured, match=r"No certificate belongs to this key.*certif"):
        opened(network).account(b"\x77" * 32)
    for wrong in (b"", b"\x00" * 32, b"\xff" * 32, b"\x01" * 31):
        with pytest.raises(Misconfigured):
            opened(network).account(wrong)


def test_a_signer_whose_certificate_is_over_signs_nothing(own_network, opened):
    ledger = opened(own_network)
    ledger.endow([PEOPLE[0]])
    account = ledger.account(PEOPLE[0])
    path = own_network.folder / "members" / f"client.{account.hex()}.crt"
    first = home(own_network)
    over = issue(first.root, first.root.key, first.name, "client", "over", years=-0.1, public=public_of(path))
    write_file(path, over.pem)
    with pytest.raises(Misconfigured, match="ended at"):
        ledger.sign(PEOPLE[0], 0, Call(b"some_contract", b"\x01\x02\x03\x04", 0), 0)
    longer = issue(first.root, first.root.key, first.name, "client", "new", years=1, public=public_of(path))
    write_file(path.with_name("renewed.crt"), longer.pem)
    assert ledger.account(PEOPLE[0]) == account


def public_of(path):
    from light_clients.crypto.certificates import read_certificate

    return read_certificate(path.read_bytes()).public_key[-64:]


def test_deployments_need_endorsers_of_most_organisations(network, opened, tmp_path):
    call = Call(b"a_contract", contract("Idle").creation, 0, creates=True)
    key = first_client_key(network)
    with pytest.raises(Misconfigured, match="endorsed by administrators"):
        opened(network, endorsers="").sign(key, 0, call, 0)
    folder = tmp_path / "two"
    for number in (0, 1):
        organisation = network.nodes[number].organisation
        write_pair(folder / organisation.name, organisation.admin)
    ledger = opened(network, endorsers=str(folder))
    with pytest.raises(Misconfigured, match="Too few administrators"):
        ledger.broadcast([ledger.sign(key, 0, call, 0).raw])


def test_the_ends_of_certificates_are_told_for_alarms(own_network, opened, tmp_path):
    ledger = opened(own_network, **made(own_network, tmp_path, "soon", years=20 / 365))
    ledger.tip()
    states = ledger.certificates()
    soon = [state.name for state in states if state.not_after < time.time() + MONTH_S]
    assert soon == ["soon.crt"]
    names = " ".join(state.name for state in states)
    for part in (
        "client1.tls.crt",
        "TLS certificate of grpcs://127.0.0.1",
        "admin1.sign.wx-org3",
        "client1.sign.wx-org2",
    ):
        assert part in names


class TestTls:
    """TLS: authority, name and time of the node's certificate, and ours."""

    def test_an_authority_that_is_not_known(self, network, opened, asked, tmp_path):
        write_file(tmp_path / "other.crt", authority(P256, "somebody").pem)
        refused(opened(network, tls_roots=str(tmp_path / "other.crt")), "not in tls_roots", "127.0.0.1")
        assert asked == []

    def test_another_name(self, network, opened, asked):
        refused(opened(network, tls_name="other.example"), "not for the name 'other.example'", "tls_name")
        assert asked == []

    @pytest.mark.parametrize(
        ("fault", "word"),
        [("expired", "is over"), ("other-authority", "not in tls_roots"), ("other-name", "not for the name")],
    )
    def test_a_node_with_a_bad_certificate(self, own_network, opened, fault, word):
        own_network.stop_node(0)
        own_network.start_node(0, tls=fault)
        refused(opened(own_network), word)

    def test_a_node_that_comes_back_with_a_bad_certificate_is_left_for_another(self, own_network, opened):
        ledger = opened(own_network, timeout_s=5)
        assert ledger.tip() == 0
        own_network.stop_node(0)
        own_network.start_node(0, tls="expired")
        texts = []
        for _ in range(2):
            with pytest.raises((Unreachable, MemberRefused)) as caught:
                ledger.tip()
            texts.append(caught.value)
        assert isinstance(texts[-1], MemberRefused)
        assert "is over" in str(texts[-1])
        own_network.stop_node(0)
        own_network.start_node(0)
        assert ledger.tip() == 0

    def test_our_certificate_is_not_taken(self, network, opened, asked, tmp_path):
        told = tls_made(network, tmp_path, "stranger", authority(P256, "stranger"))
        refused(opened(network, **told), "does not take our TLS certificate stranger.crt")
        assert asked == []

    def test_our_certificate_is_over(self, network, opened, asked, tmp_path):
        told = tls_made(network, tmp_path, "old", home(network).tls_root, years=-0.1)
        refused(opened(network, **told), "old.crt ended at")
        assert asked == []

    def test_our_certificate_is_of_another_key(self, network, opened, asked, tmp_path):
        one = tls_made(network, tmp_path, "one", home(network).tls_root)
        two = tls_made(network, tmp_path, "two", home(network).tls_root)
        refused(opened(network, **(one | {"tls_key": two["tls_key"]})), "does not belong")
        assert asked == []

    def test_a_national_key_is_told_to_be_of_no_use(self, network, opened, tmp_path):
        told = tls_made(network, tmp_path, "national", authority(SM2, "o"), SM2)
        refused(opened(network, **told), "SM2 key", "P-256")

    def test_files_that_are_not_there(self, network, opened):
        refused(opened(network, tls_roots=""), "tls_roots names no file")
        refused(opened(network, tls_roots="nowhere.crt"), "nowhere.crt", "cannot be read")
        refused(opened(network, tls_key=""), "go together")

    def test_no_certificate_at_all(self, network, opened):
        refused(opened(network, tls_certificate="", tls_key=""), "does not take our TLS certificate (none)")

    def test_renewed_files_are_used_from_the_next_request_on(self, own_network, opened, tmp_path):
        told = tls_made(own_network, tmp_path, "ours", home(own_network).tls_root)
        ledger = opened(own_network, **told)
        assert ledger.tip() == 0
        write_pair(tmp_path / "ours", issue(authority(P256, "x"), new_key(P256), "x", "x", "ours", usage="tls"))
        with pytest.raises((Misconfigured, Unreachable), match="does not take our TLS certificate"):
            ledger.tip()
        tls_made(own_network, tmp_path, "ours", home(own_network).tls_root)
        assert ledger.tip() == 0

    def test_nobody_listens_or_no_tls_is_spoken(self, own_network, opened):
        plain = opened(own_network, timeout_s=5)
        own_network.stop_node(0)
        with pytest.raises(Unreachable, match="cannot be reached"):
            plain.tip()


def test_a_rejection_is_no_misconfiguration(network, opened):
    ledger = opened(network)
    with pytest.raises(Rejected):
        ledger.installed(b"nothing_stands_here")
