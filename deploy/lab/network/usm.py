"""The User-based Security Model of SNMPv3 (RFC 3414), for one user at authPriv: HMAC-SHA-96 and AES-128 in
CFB (RFC 3826), the pair that access equipment of any age has.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from deploy.lab.network import ber
from deploy.lab.network.ber import Oid

STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
UNSUPPORTED_LEVEL, NOT_IN_TIME_WINDOW, UNKNOWN_USER, UNKNOWN_ENGINE, WRONG_DIGEST, DECRYPTION = range(1, 7)
"""usmStats…: the arc below STATS of the counter that a report carries."""

WINDOW = 150
DIGEST = 12


class Unsecured(Exception):
    """A message that fails a check; `counter` names it in the report."""

    def __init__(self, counter: int) -> None:
        super().__init__(counter)
        self.counter = counter


def localized(password: str, engine: bytes) -> bytes:
    """RFC 3414 A.2.2: a megabyte of the password hashed, then bound to the engine."""
    pattern = password.encode()
    stretched = (pattern * (1_048_576 // len(pattern) + 1))[:1_048_576]
    digest = hashlib.sha1(stretched).digest()  # noqa: S324 - RFC 3414
    return hashlib.sha1(digest + engine + digest).digest()  # noqa: S324 - RFC 3414


@dataclass
class Security:
    """The engine of one agent, with its one user."""

    user: str
    auth_password: str
    privacy_password: str
    engine: bytes
    boots: int = 1
    started: float = field(default_factory=time.monotonic)
    counts: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._auth = localized(self.auth_password, self.engine)
        self._privacy = localized(self.privacy_password, self.engine)[:16]

    @property
    def time(self) -> int:
        return int(time.monotonic() - self.started)

    def reboot(self) -> None:
        self.boots, self.started = self.boots + 1, time.monotonic()

    # ---- checking what comes ----------------------------------------------------------------

    def opened(self, message: bytes, flags: int, parameters: bytes, data: bytes) -> bytes:
        """The scoped PDU of a message. Raises Unsecured, ValueError."""
        tag, inner, _ = ber.read(parameters)
        if tag != ber.SEQUENCE:
            raise ValueError("no security parameters")
        engine, boots, seconds, user, digest, salt = ber.expect(
            inner, ber.OCTETS, ber.INTEGER, ber.INTEGER, ber.OCTETS, ber.OCTETS, ber.OCTETS
        )
        if engine != self.engine:
            raise Unsecured(UNKNOWN_ENGINE)
        if user != self.user.encode():
            raise Unsecured(UNKNOWN_USER)
        if flags & 3 != 3:
            raise Unsecured(UNSUPPORTED_LEVEL)
        if len(digest) != DIGEST or message.count(digest) != 1:
            raise Unsecured(WRONG_DIGEST)
        blank = message.replace(digest, bytes(DIGEST))
        if not hmac.compare_digest(self._digest(blank), digest):
            raise Unsecured(WRONG_DIGEST)
        if ber.to_int(boots) != self.boots or abs(ber.to_int(seconds) - self.time) > WINDOW:
            raise Unsecured(NOT_IN_TIME_WINDOW)
        tag, sealed, _ = ber.read(data)
        if tag != ber.OCTETS or len(salt) != 8:
            raise Unsecured(DECRYPTION)
        clear = self._cipher(boots, seconds, salt).decryptor().update(sealed)
        try:
            tag, scoped, _ = ber.read(clear)
        except ValueError:
            raise Unsecured(DECRYPTION) from None
        if tag != ber.SEQUENCE:
            raise Unsecured(DECRYPTION)
        return scoped

    # ---- making what goes -------------------------------------------------------------------

    def sealed(self, message_id: int, scoped: bytes) -> bytes:
        """An authenticated and encrypted answer around a scoped PDU."""
        boots, seconds, salt = ber.integer(self.boots), ber.integer(self.time), secrets.token_bytes(8)
        cipher = self._cipher(ber.read(boots)[1], ber.read(seconds)[1], salt)
        data = ber.octets(cipher.encryptor().update(scoped))
        blank = self._message(message_id, 3, (boots, seconds), bytes(DIGEST), salt, data)
        at = blank.index(bytes(DIGEST))
        return blank[:at] + self._digest(blank) + blank[at + DIGEST :]

    def report(self, message_id: int, request_id: int, counter: int) -> bytes:
        """What a manager discovers the engine and its time from; the latter is told under a digest."""
        self.counts[counter] = self.counts.get(counter, 0) + 1
        value = ber.sequence(ber.oid((*STATS, counter, 0)), ber.counter32(self.counts[counter]))
        pdu = ber.sequence(
            ber.integer(request_id), ber.integer(0), ber.integer(0), ber.sequence(value), tag=0xA8
        )
        scoped = ber.sequence(ber.octets(self.engine), ber.octets(b""), pdu)
        clock = (ber.integer(self.boots), ber.integer(self.time))
        if counter != NOT_IN_TIME_WINDOW:
            return self._message(message_id, 0, clock, b"", b"", scoped)
        blank = self._message(message_id, 1, clock, bytes(DIGEST), b"", scoped)
        at = blank.index(bytes(DIGEST))
        return blank[:at] + self._digest(blank) + blank[at + DIGEST :]

    def _message(
        self, message_id: int, flags: int, clock: tuple[bytes, bytes], digest: bytes, salt: bytes, data: bytes
    ) -> bytes:
        user = b"" if flags == 0 else self.user.encode()
        parameters = ber.sequence(
            ber.octets(self.engine), *clock, ber.octets(user), ber.octets(digest), ber.octets(salt)
        )
        head = ber.sequence(
            ber.integer(message_id), ber.integer(65_507), ber.octets(bytes((flags,))), ber.integer(3)
        )
        return ber.sequence(ber.integer(3), head, ber.octets(parameters), data)

    def _digest(self, blank: bytes) -> bytes:
        return hmac.digest(self._auth, blank, "sha1")[:DIGEST]

    def _cipher(self, boots: bytes, seconds: bytes, salt: bytes) -> Cipher[CFB]:
        clock = b"".join(ber.to_int(part).to_bytes(4, "big") for part in (boots, seconds))
        return Cipher(algorithms.AES(self._privacy), CFB(clock + salt))
