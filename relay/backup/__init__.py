"""Copies of a hub, and hubs from them.

database.py       one consistent copy of any database as an SQLite file, and the way back
archive.py        one tar file with a manifest of hashes
saving.py         `relayhub backup`
restoring.py      `relayhub restore`
registered.py     registry.toml: what is registered, kept beside hub.toml
newer.py          what the ledgers have that a database does not
"""
