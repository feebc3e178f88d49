"""Where the interface may listen, and what it asks for beyond loopback."""

import subprocess

import pytest

from relay.errors import BadInput
from relay.tokens import Role, create
from relay.web.listening import check_listening, tls_of
from tests.support.filled_hub import NOW, FilledHub


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-subj", "/CN=hub", "-days", "2", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"]
    subprocess.run(words, check=True, capture_output=True)
    return {"web_tls_certificate": f"{folder}/certificate.pem", "web_tls_key": f"{folder}/key.pem"}


def hub(folder, **settings):
    made = FilledHub(folder, **settings)
    return made, made.home.load()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_loopback_needs_nothing(tmp_path, host):
    made, config = hub(tmp_path, web_host=host)
    assert check_listening(config, made.store) == {}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_loopback_it_needs_tls_and_a_token(tmp_path, certificate, host):
    made, config = hub(tmp_path, web_host=host)
    with pytest.raises(BadInput, match="only with TLS"):
        check_listening(config, made.store)
    config = config.model_copy(update=certificate)
    with pytest.raises(BadInput, match="only when there is a token"):
        check_listening(config, made.store)
    create(made.store, Role.AUDITOR, "late", now=NOW, expires_at=1.0)
    with pytest.raises(BadInput, match="only when there is a token"):
        check_listening(config, made.store)
    create(made.store, Role.AUDITOR, "a", now=NOW)
    assert check_listening(config, made.store)["ssl_certfile"] == certificate["web_tls_certificate"]


def test_a_host_that_is_no_address_is_refused(tmp_path):
    made, config = hub(tmp_path, web_host="hub.example")
    with pytest.raises(BadInput, match="no IP address"):
        check_listening(config, made.store)


@pytest.mark.parametrize("missing", ["web_tls_certificate", "web_tls_key"])
def test_half_a_certificate_is_refused_in_one_sentence(tmp_path, certificate, missing):
    _, config = hub(tmp_path, **(certificate | {missing: ""}))
    with pytest.raises(BadInput, match="cannot be used"):
        tls_of(config)
    with pytest.raises(BadInput, match="cannot be used"):
        tls_of(config.model_copy(update={missing: str(tmp_path / "none.pem")}))
