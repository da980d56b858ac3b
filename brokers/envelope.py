"""Envelope encryption: a firm's data key encrypts its secrets, a master key encrypts data keys.

AES-256-GCM with a random 96-bit nonce in front of each ciphertext (NIST SP 800-38D). Associated
data names whose secret it is, so that a ciphertext copied to another row does not open there.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class CannotOpen(Exception):
    """The ciphertext was changed, belongs elsewhere, or its key is not here."""


class BadMasterKeys(ValueError):
    """The setting that holds the master keys cannot be read."""


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The keys by their ids; ``current`` encrypts, the others only open."""

    current: str
    keys: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"MasterKeys(current={self.current!r}, ids={sorted(self.keys)})"

    def get(self, key_id: str) -> bytes:
        """:raises CannotOpen: if there is no key of this id."""
        try:
            return self.keys[key_id]
        except KeyError:
            raise CannotOpen(f"master key {key_id} is not among those of this system") from None


def read_master_keys(text: str) -> MasterKeys:
    """Read ``id:base64`` separated by commas, the current one first.

    :raises BadMasterKeys: without a key, or with one that is not 32 bytes long.
    """
    keys: dict[str, bytes] = {}
    for part in text.replace("\n", ",").split(","):
        key_id, colon, encoded = part.strip().partition(":")
        if not part.strip():
            continue
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not colon or not key_id or len(key) != KEY_BYTES:
            raise BadMasterKeys("a master key is written id:base64 of 32 bytes")
        keys[key_id] = key
    if not keys:
        raise BadMasterKeys("there is no master key")
    return MasterKeys(next(iter(keys)), keys)


def new_master_key(key_id: str) -> str:
    """A fresh key as ``read_master_keys`` reads it."""
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def new_data_key() -> bytes:
    """A fresh key for the secrets of one firm."""
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def seal(key: bytes, secret: bytes, *, bound_to: str) -> bytes:
    """Encrypt; ``bound_to`` must be given again to open it."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, bound_to.encode())


def unseal(key: bytes, sealed: bytes, *, bound_to: str) -> bytes:
    """Decrypt what ``seal`` made. :raises CannotOpen:"""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError):
        raise CannotOpen(f"the secret of {bound_to} does not open") from None
