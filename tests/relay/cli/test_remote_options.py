"""A command on a hub elsewhere takes what it takes here."""

import typer

from relay.cli.application import app as here
from relay.cli.remote import app as elsewhere
from relay.cli.remote_local import LOCAL

TOKEN = "the token says who asks"
OTHERWISE = {
    ("audit", "place"): "a place elsewhere is read from here: relayhub audit URL",
    ("send", "--organisation"): "a file above the cap is kept there by `evidence put` and sent by `send --record ID`",
    ("send", "--readers"): "the same",
    **{
        (f"evidence {name}", option): TOKEN
        for name, options in {
            "get": ("--as", "--role"),
            "list": ("--as", "--role"),
            "prove": ("--as", "--role"),
            "erase": ("--as",),
        }.items()
        for option in options
    },
}
"""What is left out there, and why."""


def options(command, path=()):
    """(command's words, option) of a tree of commands."""
    if hasattr(command, "commands"):
        return {item for name, each in command.commands.items() for item in options(each, (*path, name))}
    return {
        (" ".join(path), option)
        for parameter in command.params
        for option in (parameter.opts if parameter.param_type_name == "option" else [parameter.name])
    }


def test_every_option_is_there_or_left_out_for_a_reason():
    ours, theirs = (options(typer.main.get_command(app)) for app in (here, elsewhere))
    missing = {item for item in ours - theirs if item[0] not in LOCAL and item[1] != "--home"}
    assert missing == set(OTHERWISE)
