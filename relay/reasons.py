"""Every code that the hub shows for what waits or alarms, explained in English and Chinese.

The catalogue is `reasons.toml` beside this module; `docs/reasons.md` is made of it by `python -m relay.reasons`. It names every
`relay.store.waits.Reason`, the alarms of the status and the names of incidents. Codes grow; none is ever renamed or removed.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from functools import cache
from importlib import resources

from relay.errors import NotFound

KINDS = ("wait", "alarm", "incident")
LANGUAGES = ("en", "zh")
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means, in English and Chinese, each a sentence or a clause.

    Attributes:
        code: the code, as it stands in the table of waits, among the alarms, or as an incident's name.
        kind: `wait` (a row of the table of waits), `alarm` (shown until it is over) or `incident` (happened once).
        en, zh: what it is.
        turn_en, turn_zh: whose turn it is.
        next_en, next_zh: when the hub looks again.
        todo_en, todo_zh: what to do.
    """

    code: str
    kind: str
    en: str
    zh: str
    turn_en: str
    turn_zh: str
    next_en: str
    next_zh: str
    todo_en: str
    todo_zh: str

    def as_data(self) -> dict[str, str]:
        """The same as plain data, for `--json` and the HTTP interface."""
        return asdict(self)

    def said(self, language: str) -> tuple[str, str, str, str]:
        """Sentence, whose turn, next look and what to do in `en` or `zh`."""
        if language == "zh":
            return self.zh, self.turn_zh, self.next_zh, self.todo_zh
        return self.en, self.turn_en, self.next_en, self.todo_en


def explain(code: str) -> Explanation:
    """Explain a code; capital letters, blanks and hyphens in it are forgiven.

    Raises:
        NotFound: there is no such code; the error names the nearest ones.
    """
    known = _catalogue()
    wanted = code.strip().lower().replace("-", "_").replace(" ", "_")
    found = known.get(wanted)
    if found is not None:
        return found
    nearest = get_close_matches(wanted, known, n=NEAREST, cutoff=0.5) or [name for name in known if wanted in name]
    hint = f"Nearest: {', '.join(nearest[:NEAREST])}." if wanted and nearest else "List all: relayhub explain --all."
    raise NotFound(f"There is no code {code[:64]!r}.", hint)


def all_codes() -> tuple[str, ...]:
    """Every code: waits in the order of `Reason`, then alarms, then incidents."""
    return tuple(_catalogue())


def document() -> str:
    """The text of docs/reasons.md."""
    parts = [HEADING]
    for kind in KINDS:
        parts.append(f"## {TITLES[kind]}")
        parts += [_section(item) for item in _catalogue().values() if item.kind == kind]
    return "\n\n".join(parts) + "\n"


HEADING = (
    "<!-- Made of relay/reasons.toml by `python -m relay.reasons`; a test compares. -->\n"
    "# Why something waits\n\n"
    "`relayhub explain CODE` shows the same (`--language zh` in Chinese, `--all` for a table). A code is never renamed or removed.\n\n"
    "每个代码的含义、责任方、复查时间和处置办法如下；命令行可用 `relayhub explain CODE --language zh` 查询。代码一经启用，不再更名或删除。"  # noqa: RUF001 - Chinese punctuation
)
TITLES = {"wait": "Waits · 等待", "alarm": "Alarms · 告警", "incident": "Incidents · 事件"}
LABELS = {
    "en": ("Whose turn", "Next look", "What to do"),
    "zh": ("责任方", "复查", "处置"),
}


def _section(item: Explanation) -> str:
    lines = [f"### {item.code}"]
    for language in LANGUAGES:
        sentence, *said = item.said(language)
        colon = "：" if language == "zh" else ": "  # noqa: RUF001 - Chinese punctuation
        rows = [f"- {label}{colon}{text}" for label, text in zip(LABELS[language], said, strict=True)]
        lines.append("\n".join([sentence, "", *rows]))
    return "\n\n".join(lines)


@cache
def _catalogue() -> dict[str, Explanation]:
    text = resources.files("relay").joinpath("reasons.toml").read_text(encoding="utf-8")
    wanted = {field.name for field in fields(Explanation)} - {"code"}
    found = {}
    for code, said in tomllib.loads(text).items():
        if set(said) != wanted or said["kind"] not in KINDS or not all(said.values()):
            raise RuntimeError(f"reasons.toml: {code} needs {', '.join(sorted(wanted))}")
        found[code] = Explanation(code=code, **said)
    return found


if __name__ == "__main__":
    sys.stdout.write(document())
