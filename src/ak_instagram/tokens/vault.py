"""
The vault: tokens are encrypted before they are stored, with the keys of `store.encryption_key`.

Fernet is AES-128-CBC with an HMAC-SHA256; the first key encrypts, all of them decrypt.
https://cryptography.io/en/latest/fernet/
"""

from __future__ import annotations

from collections.abc import Sequence


class Locked(Exception):
    """A token was encrypted with a key that is not set, or its row was tampered with."""


class Vault:
    """Seals tokens and opens them again; none of *keys* may be wrong, see `settings`."""

    def __init__(self, keys: Sequence[str]) -> None:
        # Here and not above: it takes a while to import, and most services have no key.
        from cryptography.fernet import Fernet

        self._boxes = [Fernet(as_fernet_key(key)) for key in keys]

    def seal(self, account: str, token: str) -> str:
        """Return *token* encrypted with the first key, good for *account* alone."""
        return self._boxes[0].encrypt(f"{account} {token}".encode()).decode()

    def open(self, account: str, sealed: str) -> str:
        """Return the token of *account* that is *sealed*; raise `Locked` if no key fits."""
        owner, _, token = self._open(sealed)[0].partition(" ")
        if owner != account:
            raise Locked("the store holds the token of another account there")
        return token

    def is_sealed_anew(self, sealed: str) -> bool:
        """Whether *sealed* is encrypted with the first key, so that no other is needed for it."""
        return self._open(sealed)[1] == 0

    def _open(self, sealed: str) -> tuple[str, int]:
        """Return what is *sealed* and the number of the key that it was sealed with."""
        from cryptography.fernet import InvalidToken  # as above

        for number, box in enumerate(self._boxes):
            try:
                return box.decrypt(sealed.encode()).decode(), number
            except InvalidToken:
                continue
        raise Locked("it was encrypted with a key that is not in store.encryption_key")


def as_fernet_key(key: str) -> bytes:
    """Return *key* as Fernet wants it; base64 with `+` and `/`, as openssl writes it, will do."""
    return key.translate(str.maketrans("+/", "-_")).encode()
