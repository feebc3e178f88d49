"""SM2 verification by OpenSSL's libcrypto, the one that Python's own hashlib is linked with, through ctypes.

Source: OpenSSL 3 manual pages d2i_PUBKEY(3), EVP_PKEY_verify(3) and EVP_PKEY-SM2(7): EVP_PKEY_verify takes the digest e as
it is, so that ZA is hashed by us and no user identity is handed over.
"""

from __future__ import annotations

import _hashlib
import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from light_clients.crypto.der import signature_to_der

Verifier = Callable[[bytes, bytes, bytes], bool]
"""Takes a public key (64 bytes, on the curve), a digest (32) and a signature (64); tells whether it is the key's."""

PLACES: Final[tuple[str | None, ...]] = (
    getattr(_hashlib, "__file__", None),
    "libcrypto.so.3",
    "libcrypto.3.dylib",
)
"""Where libcrypto is looked for, in order: what hashlib's extension brings with it (None: the process), then by name."""

KEY_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
"""SubjectPublicKeyInfo of an uncompressed SM2 key (RFC 5480, section 2; curve 1.2.156.10197.1.301) up to its coordinates."""

_POINTER, _INT, _SIZE, _BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
_FUNCTIONS: Final = {
    "d2i_PUBKEY": (_POINTER, (_POINTER, ctypes.POINTER(_BYTES), ctypes.c_long)),
    "EVP_PKEY_free": (None, (_POINTER,)),
    "EVP_PKEY_CTX_new": (_POINTER, (_POINTER, _POINTER)),
    "EVP_PKEY_CTX_free": (None, (_POINTER,)),
    "EVP_PKEY_verify_init": (_INT, (_POINTER,)),
    "EVP_PKEY_verify": (_INT, (_POINTER, _BYTES, _SIZE, _BYTES, _SIZE)),
    "ERR_clear_error": (None, ()),
}


def find_verifier(places: Sequence[str | None], accepts: Callable[[Verifier], bool]) -> Verifier | None:
    """Find a libcrypto that verifies SM2.

    Args:
        places: Files or names to open, in order; None is the running process itself.
        accepts: Tries a verifier on known signatures.

    Returns:
        The first verifier that is accepted; None where there is none.
    """
    for place in places:
        try:
            verifier = _Library(ctypes.CDLL(place)).verify
        except (OSError, AttributeError):  # no such file; a library without these functions
            continue
        if accepts(verifier):
            return verifier
    return None


class _Key:
    """A public key inside libcrypto, given back with this object."""

    def __init__(self, library: ctypes.CDLL, public_key: bytes) -> None:
        encoded = KEY_PREFIX + public_key
        start = ctypes.c_char_p(encoded)
        self._library = library
        self.pointer = library.d2i_PUBKEY(None, ctypes.byref(start), len(encoded))

    def __del__(self) -> None:
        self._library.EVP_PKEY_free(self.pointer)


class _Library:
    """The few functions of libcrypto, with their types declared; keys that recur are remembered."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._library = library
        self._key = lru_cache(maxsize=256)(lambda public_key: _Key(library, public_key))

    def verify(self, public_key: bytes, digest: bytes, signature: bytes) -> bool:
        """See `Verifier`."""
        library = self._library
        key = self._key(public_key)
        encoded = signature_to_der(signature)
        context = library.EVP_PKEY_CTX_new(key.pointer, None) if key.pointer else None
        if not context:
            library.ERR_clear_error()
            return False
        try:
            library.EVP_PKEY_verify_init(context)
            answer = library.EVP_PKEY_verify(context, encoded, len(encoded), digest, len(digest))
        finally:
            library.EVP_PKEY_CTX_free(context)
        if answer == 1:
            return True
        library.ERR_clear_error()  # what is left there would be taken for the next caller's error
        return False
