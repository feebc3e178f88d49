"""Why a message may be believed. Pure: bytes, trusted state and the time come in; a new state or an error goes out."""
