"""An encrypted column that is decrypted on demand, not when its row is loaded.

fernet_fields decrypts while a row is loaded: one damaged row would break every list that contains it,
and a list of names would decrypt every secret of the desk.
"""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.serializers.base import SerializationError
from django.db.models import Lookup
from fernet_fields import EncryptedTextField


class Undecryptable(ValueError):
    """None of FERNET_KEYS decrypts a ciphertext."""


class EncryptedText:
    """A ciphertext as the database stores it. Its repr shows nothing of it."""

    __slots__ = ("_ciphertext", "_keys")

    def __init__(self, ciphertext: bytes, keys: Fernet | MultiFernet) -> None:
        self._ciphertext = ciphertext
        self._keys = keys

    def __repr__(self) -> str:
        return "<sealed>"

    @property
    def ciphertext(self) -> bytes:
        """The bytes to store when the column is written back unchanged."""
        return self._ciphertext

    def decrypt(self) -> str:
        """Return the plain text. Raises Undecryptable."""
        try:
            return self._keys.decrypt(self._ciphertext).decode()
        except (InvalidToken, UnicodeDecodeError) as error:
            raise Undecryptable from error


class DeferredEncryptedTextField(EncryptedTextField):  # type: ignore[misc]  # fernet_fields has no annotations
    """Encrypts a str under the first of FERNET_KEYS; a loaded row has an EncryptedText."""

    def from_db_value(self, value: Any, _expression: Any, _connection: Any, *_: Any) -> EncryptedText | None:
        """Wrap the ciphertext without decrypting it."""
        return None if value is None else EncryptedText(bytes(value), self.fernet)

    def value_to_string(self, _row: Any) -> str:
        """Refuse `dumpdata`: its file must contain neither a secret nor a placeholder that would be loaded as one."""
        raise SerializationError(
            "Encrypted columns cannot be dumped. Back up the database itself (docs/operations.md)."
        )

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Encrypt a str; store the ciphertext of an EncryptedText unchanged."""
        if isinstance(value, EncryptedText):
            return connection.Database.Binary(value.ciphertext)
        return super().get_db_prep_save(value, connection)


@DeferredEncryptedTextField.register_lookup
class HasCiphertext(Lookup):
    """`column__ciphertext=loaded`: the column still stores the ciphertext that was loaded from it."""

    lookup_name = "ciphertext"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Compare the stored bytes."""
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = %s", (*parameters, connection.Database.Binary(self.rhs.ciphertext))
