"""An encrypted column that is decrypted when somebody opens it, never by merely loading a row.

fernet_fields decrypts as a row is read, so that one damaged row would break every list that it
stands in, and a list of names would decrypt every secret of the desk.
"""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.serializers.base import SerializationError
from fernet_fields import EncryptedTextField


class Undecryptable(ValueError):
    """A ciphertext that none of FERNET_KEYS opens."""


class EncryptedText:
    """A text as the database has it. Its repr shows nothing."""

    __slots__ = ("_ciphertext", "_keys")

    def __init__(self, ciphertext: bytes, keys: Fernet | MultiFernet) -> None:
        self._ciphertext = ciphertext
        self._keys = keys

    def __repr__(self) -> str:
        return "<sealed>"

    @property
    def ciphertext(self) -> bytes:
        """The bytes to store when the text is written back unopened."""
        return self._ciphertext

    def decrypt(self) -> str:
        """Decrypt. Raises NotReadable."""
        try:
            return self._keys.decrypt(self._ciphertext).decode()
        except (InvalidToken, UnicodeDecodeError) as error:
            raise Undecryptable from error


class DeferredEncryptedTextField(EncryptedTextField):  # type: ignore[misc]  # fernet_fields has no annotations
    """Takes a str, which is encrypted under the first of FERNET_KEYS; gives a SealedText."""

    def from_db_value(self, value: Any, _expression: Any, _connection: Any, *_: Any) -> EncryptedText | None:
        """Wrap what was loaded."""
        return None if value is None else EncryptedText(bytes(value), self.fernet)

    def value_to_string(self, _row: Any) -> str:
        """Refuse `dumpdata`: neither a secret nor a stand-in for one belongs into its file."""
        raise SerializationError("Sealed columns are not dumped. Back up the database itself (docs/operations.md).")

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Encrypt a str; store a SealedText as it was."""
        if isinstance(value, EncryptedText):
            return connection.Database.Binary(value.ciphertext)
        return super().get_db_prep_save(value, connection)
