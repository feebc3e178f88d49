"""Ports chosen for what listens on loopback: free, outside the range of outgoing connections, and an end when none is free."""

import os
import socket
import subprocess
import sys

import pytest

import adapters.loopback_ports as ports
from adapters.evm.devnet import DevelopmentNetwork


def listening(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def test_a_free_port_can_be_bound_and_lies_below_the_ports_of_outgoing_connections():
    port = ports.free_port()
    with listening(port):
        assert ports.FIRST <= port <= ports.LAST
        assert not ports.is_free(port)
    assert ports.LAST < 32_768


def test_a_taken_port_is_not_chosen(monkeypatch):
    with listening(ports.free_port()) as listener:
        taken = listener.getsockname()[1]
        monkeypatch.setattr(ports, "_turn", lambda: taken - ports.FIRST)
        monkeypatch.setattr(ports, "_TRIES", 2)
        with pytest.raises(OSError, match="None of 2 ports"):
            ports.free_port()


def test_processes_that_choose_at_once_choose_different_ports(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    choose = "from adapters.loopback_ports import free_port; print(*(free_port() for _ in range(300)))"
    choosing = [
        subprocess.Popen([sys.executable, "-c", choose], stdout=subprocess.PIPE, text=True) for _process in range(4)
    ]
    chosen = [port for process in choosing for port in process.communicate()[0].split()]
    assert len(chosen) == len(set(chosen)) == 1_200


@pytest.mark.parametrize("content", [b"", b"not a number", b"-5", b"9" * 30])
def test_whatever_stands_in_the_shared_file_ports_are_chosen(content, monkeypatch, tmp_path):
    monkeypatch.setattr(ports.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / f"relayhub-ports-{os.getuid()}").write_bytes(content)
    assert len({ports.free_port() for _ in range(50)}) == 50


def test_without_a_shared_file_ports_are_chosen_at_random(monkeypatch, tmp_path):
    monkeypatch.setattr(ports.tempfile, "gettempdir", lambda: str(tmp_path / "missing"))
    assert ports.FIRST <= ports.free_port() <= ports.LAST


def test_anvil_whose_port_was_taken_meanwhile_starts_on_another(monkeypatch, tmp_path):
    """The front runs in a process of its own: a module before it on the path makes its first choice a taken port."""
    with listening(ports.free_port()) as listener:
        taken = listener.getsockname()[1]
        (tmp_path / "sitecustomize.py").write_text(
            "import adapters.loopback_ports as ports\n"
            f"chosen, choose = [{taken}], ports.free_port\n"
            "ports.free_port = lambda: chosen.pop() if chosen else choose()\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with DevelopmentNetwork(chain_id=424_242) as network:
            assert network.rpc("eth_chainId") == hex(424_242)
