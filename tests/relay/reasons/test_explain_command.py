"""`relayhub explain`, and the hint at it where something waits."""

import json
import time

import pytest

from relay.cli import main
from relay.reasons import all_codes, explain
from relay.store.tables import evidence_queue, operators
from relay.views.status_text import EXPLAIN_HINT


def run(capsys, *words):
    code = main(["explain", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_code_in_each_language(capsys, language):
    code, out, err = run(capsys, "wallet_empty", "--language", language)
    assert (code, err) == (0, "")
    for text in explain("wallet_empty").said(language):
        assert text in out


def test_all_of_them_as_a_table_and_as_json(capsys):
    _, out, _ = run(capsys, "--all")
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(all_codes())
    _, out, _ = run(capsys, "--all", "--json")
    assert [item["code"] for item in json.loads(out)] == list(all_codes())


def test_one_as_json_has_both_languages(capsys):
    _, out, _ = run(capsys, "lane_paused", "--json")
    data = json.loads(out)
    assert data == explain("lane_paused").as_data()
    assert data["zh"] == "该通道或整个网关已被暂停。"


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (["wallet_emty"], "NotFound: There is no code 'wallet_emty'. Nearest: wallet_empty"),
        (["\x1b[2J\n"], "NotFound: There is no code"),
        ([], "BadInput: Which code?"),
        (["wallet_empty", "--all"], "BadInput: Either a code or --all"),
        (["wallet_empty", "--language", "fr"], "BadInput: Invalid value for '--language'"),
    ],
)
def test_what_cannot_be_explained_is_one_line(capsys, words, begins):
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith(begins)
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_status_and_trace_point_at_it_once_where_something_waits(hub, capsys):
    home = ["--home", str(hub.home.folder)]
    hub.send("alpha", "beta", b"x")
    hub.mine()
    hub.chain_task()
    with hub.context.store.write() as connection:
        # the memory hub has no recorder and no process of an operator; each is an alarm
        connection.execute(evidence_queue.delete())
        connection.execute(operators.update().values(seen_at=time.time()))
    main(["status", *home])
    assert EXPLAIN_HINT not in capsys.readouterr().out
    hub.lane_task("alpha", "beta")
    hub.age_claims()
    hub.lane_task("alpha", "beta")
    main(["status", *home])
    assert capsys.readouterr().out.count(EXPLAIN_HINT) == 1
    from relay.store.tables import messages

    (message,) = hub.rows(messages)
    main(["trace", message.message_id.hex(), *home])
    assert capsys.readouterr().out.count(EXPLAIN_HINT) == 1
