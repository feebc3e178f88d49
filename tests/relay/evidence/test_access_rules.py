"""Who may read a record, as a table; what cannot be a rule."""

import pytest

from relay.errors import BadInput
from relay.evidence.access_rules import AccessRule, Caller, Decision

AUDITORS = frozenset({"auditor"})
EVERY_OTHER_ROLE = frozenset({"application", "operator", "officer"})

# readers of a record of 民政局 · who asks · the decision
TABLE = [
    ("", Caller("民政局"), Decision.OWNER),
    ("public", Caller("民政局", AUDITORS), Decision.OWNER),
    ("税务局", Caller("税务局"), Decision.ORGANISATION),
    ("税务局,公安局", Caller("公安局"), Decision.ORGANISATION),
    ("税务局，公安局", Caller("公安局"), Decision.ORGANISATION),
    ("税务局,public", Caller("税务局"), Decision.ORGANISATION),
    ("role:auditor", Caller("审计署", AUDITORS), Decision.AUDITOR),
    ("role:auditor", Caller("", AUDITORS), Decision.AUDITOR),
    ("public", Caller("公安局"), Decision.PUBLIC),
    ("public", Caller(), Decision.PUBLIC),
    ("public,role:auditor", Caller("", EVERY_OTHER_ROLE), Decision.PUBLIC),
    ("", Caller(), Decision.REFUSED),
    ("", Caller("公安局"), Decision.REFUSED),
    ("", Caller("公安局", AUDITORS), Decision.REFUSED),
    ("税务局", Caller("公安局"), Decision.REFUSED),
    ("税务局", Caller(), Decision.REFUSED),
    ("税务局", Caller("税务"), Decision.REFUSED),
    ("税务局", Caller("税务局 "), Decision.REFUSED),
    ("tax office", Caller("Tax Office"), Decision.REFUSED),
    ("role:auditor", Caller("审计署"), Decision.REFUSED),
    ("role:auditor", Caller("auditor"), Decision.REFUSED),
    ("role:auditor", Caller("role:auditor"), Decision.REFUSED),
    ("role:auditor", Caller("公安局", EVERY_OTHER_ROLE), Decision.REFUSED),
    ("税务局", Caller("", AUDITORS | EVERY_OTHER_ROLE), Decision.REFUSED),
]


@pytest.mark.parametrize(("readers", "caller", "decision"), TABLE)
def test_who_may_read(readers, caller, decision):
    found = AccessRule.parse("民政局", readers).decide(caller)
    assert found == decision
    assert found.allowed == (decision != Decision.REFUSED)


@pytest.mark.parametrize(
    ("caller", "may"),
    [
        (Caller("民政局"), True),
        (Caller("税务局"), False),
        (Caller(), False),
        (Caller("", AUDITORS | EVERY_OTHER_ROLE), False),
    ],
)
def test_the_owner_alone_erases(caller, may):
    assert AccessRule.parse("民政局", "税务局,public,role:auditor").may_erase(caller) == may


@pytest.mark.parametrize(
    ("readers", "kept"),
    [
        ("", ()),
        ("  ", ()),
        (" b , a ", ("a", "b")),
        ("a,a，a", ("a",)),
        ("owner,a", ("a",)),
        ("public,role:auditor,a", ("a", "public", "role:auditor")),
    ],
)
def test_a_rule_has_one_form(readers, kept):
    assert AccessRule.parse("owner", readers).readers == kept


@pytest.mark.parametrize(
    ("owner", "readers"),
    [
        ("", ""),
        ("public", ""),
        ("role:auditor", ""),
        ("a,b", ""),
        ("a，b", ""),
        ("a\nb", ""),
        ("cle\u0301", ""),
        ("税" * 22, ""),
        ("a", "b,,c"),
        ("a", ","),
        ("a", "role:officer"),
        ("a", "role:"),
        ("a", "cle\u0301"),
    ],
)
def test_what_is_no_rule(owner, readers):
    with pytest.raises(BadInput):
        AccessRule.parse(owner, readers)


def test_a_caller_is_named():
    assert str(Caller("税务局", AUDITORS)) == "税务局"
    assert str(Caller("", frozenset({"officer", "auditor"}))) == "role:auditor,role:officer"
    assert str(Caller()) == ""
