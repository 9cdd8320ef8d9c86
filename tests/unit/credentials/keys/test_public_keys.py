"""Public keys: what is no key is refused, and the published examples are read."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType, PublicKey
from registry.encoding import parse_base64url, to_base58btc, to_base64url
from registry.errors import BadSignatureError, ValidationError

# RFC 8037, appendix A: key, thumbprint, and the signature over the JWS signing input.
RFC8037_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC8037_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
RFC8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
RFC8037_INPUT = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
RFC8037_SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
KINDS = tuple(KeyType)
PAIRS = {kind: KeyPair.generate(kind) for kind in KINDS}
WITH_MULTIKEY = tuple(kind for kind in KINDS if kind is not KeyType.RSA)
ECDSA = (KeyType.P256, KeyType.P384, KeyType.SECP256K1)

# The coordinates of a point of each curve, one bit changed, are off the curve.
SMALL_ORDER = [bytes(32), b"\1" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"]


def _codes(error: ValidationError) -> list[str]:
    return [fault.code for fault in error.faults]


def _jwk(kind: KeyType) -> dict[str, Any]:
    return dict(PAIRS[kind].public.to_jwk())


# --- signatures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_signature_is_refused_when_message_key_or_length_is_another(kind: KeyType) -> None:
    pair, other = PAIRS[kind], KeyPair.generate(kind)
    signature = pair.sign(b"message")
    changed = bytes([signature[0] ^ 1]) + signature[1:]
    for key, candidate, message in [
        (pair.public, signature, b"massage"),
        (other.public, signature, b"message"),
        (pair.public, changed, b"message"),
        (pair.public, signature[:-1], b"message"),
        (pair.public, signature + b"\0", b"message"),
        (pair.public, b"", b"message"),
        (pair.public, bytes(len(signature)), b"message"),
    ]:
        with pytest.raises(BadSignatureError):
            key.verify(candidate, message)


@pytest.mark.parametrize("kind", KINDS)
def test_signature_is_accepted_over_any_length_of_message(kind: KeyType) -> None:
    pair = PAIRS[kind]
    for message in (b"", b"message", bytes(100_000)):
        pair.public.verify(pair.sign(message), message)


def test_ecdsa_signature_in_der_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    from cryptography.hazmat.primitives import hashes

    public = PublicKey.from_pem(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    with pytest.raises(BadSignatureError):
        public.verify(key.sign(b"message", ec.ECDSA(hashes.SHA256())), b"message")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_message_is_signed_alike_twice(kind: KeyType) -> None:
    assert PAIRS[kind].sign(b"message") == PAIRS[kind].sign(b"message")


# --- bytes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), b"\xff" * 32, *SMALL_ORDER])
def test_ed25519_key_is_refused_when_it_is_no_point_of_the_prime_order(raw: bytes) -> None:
    with pytest.raises(ValidationError) as caught:
        PublicKey.from_raw(KeyType.ED25519, raw)
    assert _codes(caught.value) == ["key"]


@pytest.mark.parametrize("kind", ECDSA)
def test_ecdsa_key_is_refused_when_not_a_compressed_point_of_its_curve(kind: KeyType) -> None:
    public = PAIRS[kind].public
    size = len(public.raw) - 1
    for raw in [
        b"",
        public.raw[:-1],
        public.raw + b"\0",
        b"\4" + public.raw[1:],
        b"\0" * (size + 1),
        public.point(),
        b"\2" + b"\xff" * size,  # beyond the field's prime
    ]:
        with pytest.raises(ValidationError):
            PublicKey.from_raw(kind, raw)


def _spki(key: Any) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_bytes(encoding, form))


def test_rsa_key_is_refused_when_short_oddly_encoded_or_of_another_kind() -> None:
    short = rsa.generate_private_key(65537, 1024).public_key()
    good = PAIRS[KeyType.RSA].public.raw
    elliptic = ec.generate_private_key(ec.SECP256R1()).public_key()
    for raw in [_spki(short), good + b"\0", good[:-1], _spki(elliptic), b""]:
        with pytest.raises(ValidationError):
            PublicKey.from_raw(KeyType.RSA, raw)


# --- Multikey -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", WITH_MULTIKEY)
def test_multikey_is_read_back(kind: KeyType) -> None:
    public = PAIRS[kind].public
    assert PublicKey.from_multikey(public.to_multikey()) == public


@pytest.mark.parametrize(
    "value",
    [
        b"\xed" + bytes(32),  # the prefix cut in half
        b"\xed\x81\x00" + bytes(32),  # a varint longer than it must be
        b"\x85\x24" + bytes(40),  # RSA
        b"\xec\x01" + bytes(32),  # X25519
        b"\x80\x26" + bytes(32),  # a private key
    ],
)
def test_multikey_is_refused_when_its_kind_is_not_known(value: bytes) -> None:
    with pytest.raises(ValidationError) as caught:
        PublicKey.from_multikey(to_base58btc(value), pointer="/publicKeyMultibase")
    assert [(fault.code, fault.pointer) for fault in caught.value.faults] == [
        ("key-kind", "/publicKeyMultibase")
    ]


@pytest.mark.parametrize("kind", WITH_MULTIKEY)
def test_multikey_is_refused_when_a_byte_is_missing_or_added(kind: KeyType) -> None:
    public = PAIRS[kind].public
    prefix = PublicKey.to_multikey(public)
    import base58

    value = base58.b58decode(prefix[1:])
    for changed in (value[:-1], value + b"\0"):
        with pytest.raises(ValidationError):
            PublicKey.from_multikey(to_base58btc(changed))


@pytest.mark.parametrize(
    "text",
    [None, 5, "", "z", "z" * 200, PAIRS[KeyType.ED25519].public.to_multikey() + " "],
    ids=["none", "number", "nothing", "z", "long", "space"],
)
def test_multikey_is_refused_when_it_is_no_multibase(text: object) -> None:
    with pytest.raises(ValidationError):
        PublicKey.from_multikey(text)


def test_rsa_has_no_multikey() -> None:
    with pytest.raises(ValidationError):
        PAIRS[KeyType.RSA].public.to_multikey()


# --- JWK ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_jwk_is_read_back(kind: KeyType) -> None:
    public = PAIRS[kind].public
    members = public.to_jwk() | {"kid": "a", "use": "sig", "key_ops": ["verify"], "alg": kind.jose_algorithm}
    assert PublicKey.from_jwk(members) == public


def _broken_jwks() -> list[tuple[str, object]]:
    okp, p256, key = _jwk(KeyType.ED25519), _jwk(KeyType.P256), _jwk(KeyType.RSA)
    modulus = base64.urlsafe_b64decode(key["n"] + "==")
    return [
        ("no object", ["kty"]),
        ("no kty", {"x": okp["x"]}),
        ("symmetric", {"kty": "oct", "k": "AAAA"}),
        ("private", okp | {"d": RFC8037_D}),
        ("private RSA", key | {"p": "AQ"}),
        ("X25519", okp | {"crv": "X25519"}),
        ("Ed448", okp | {"crv": "Ed448"}),
        ("crv of another kty", okp | {"kty": "EC"}),
        ("curve of another length", p256 | {"crv": "P-384"}),
        ("curve of the same length", p256 | {"crv": "secp256k1"}),
        ("P-521", p256 | {"crv": "P-521"}),
        ("no y", {name: value for name, value in p256.items() if name != "y"}),
        ("x and y swapped", p256 | {"x": p256["y"], "y": p256["x"]}),
        ("x with a leading zero", p256 | {"x": "AA" + p256["x"]}),
        ("x padded", okp | {"x": okp["x"] + "="}),
        ("x a number", okp | {"x": 7}),
        ("x too short", okp | {"x": okp["x"][:-2]}),
        ("for encryption", okp | {"use": "enc"}),
        ("for signing only", okp | {"key_ops": ["sign"]}),
        ("key_ops a string", okp | {"key_ops": "verify"}),
        ("alg of HMAC", key | {"alg": "HS256"}),
        ("alg of another kind", okp | {"alg": "ES256"}),
        ("alg none", okp | {"alg": "none"}),
        ("alg an object", okp | {"alg": {}}),
        ("modulus with a leading zero", key | {"n": to_base64url(b"\0" + modulus)}),
        ("modulus of 1 KiB", key | {"n": to_base64url(b"\xff" * 1025)}),
        ("modulus even", key | {"n": to_base64url(modulus[:-1] + b"\0")}),
        ("modulus empty", key | {"n": ""}),
        ("exponent one", key | {"e": "AQ"}),
        ("exponent huge", key | {"e": to_base64url(b"\1" * 9)}),
    ]


@pytest.mark.parametrize(
    ("name", "jwk"), _broken_jwks(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_jwk_is_refused(name: str, jwk: object) -> None:
    with pytest.raises(ValidationError):
        PublicKey.from_jwk(jwk)


def test_thumbprint_and_signature_are_those_of_rfc_8037() -> None:
    pair = KeyPair.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": RFC8037_X, "d": RFC8037_D})
    assert pair.public.thumbprint() == RFC8037_THUMBPRINT
    assert to_base64url(pair.sign(RFC8037_INPUT)) == RFC8037_SIGNATURE


# --- PEM and private keys -----------------------------------------------------------------------------------


def test_pem_is_refused_when_it_holds_no_key_of_a_known_kind() -> None:
    pem = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    other = x25519.X25519PrivateKey.generate().public_key().public_bytes(*pem)
    curve = ec.generate_private_key(ec.SECP521R1()).public_key().public_bytes(*pem)
    for data in (b"", b"-----BEGIN PUBLIC KEY-----", other, curve):
        with pytest.raises(ValidationError):
            PublicKey.from_pem(data)


def test_pem_is_read_for_every_kind() -> None:
    pem = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    assert PublicKey.from_pem(key.public_bytes(*pem)).raw == key.public_bytes_raw()
    rsa_key = serialization.load_der_public_key(PAIRS[KeyType.RSA].public.raw)
    assert PublicKey.from_pem(rsa_key.public_bytes(*pem)) == PAIRS[KeyType.RSA].public


@pytest.mark.parametrize("kind", KINDS)
def test_private_key_is_refused_when_it_has_another_form(kind: KeyType) -> None:
    private = PAIRS[kind].private_bytes()
    for data in (b"", private[:-1], private + b"\0", b"\xff" * (len(private) + 1)):
        with pytest.raises(ValidationError) as caught:
            KeyPair.from_private_bytes(kind, data)
        assert data.hex() not in str(caught.value) or not data


@pytest.mark.parametrize("kind", ECDSA)
def test_private_scalar_is_refused_when_zero_or_beyond_the_order(kind: KeyType) -> None:
    size = len(PAIRS[kind].private_bytes())
    for data in (bytes(size), b"\xff" * size):
        with pytest.raises(ValidationError):
            KeyPair.from_private_bytes(kind, data)


def test_private_jwk_is_refused_when_it_belongs_to_another_public_key() -> None:
    for kind in (KeyType.ED25519, KeyType.P256):
        jwk = PAIRS[kind].private_jwk() | {"d": KeyPair.generate(kind).private_jwk()["d"]}
        with pytest.raises(ValidationError, match="another public key"):
            KeyPair.from_jwk(jwk)
    with pytest.raises(ValidationError):
        KeyPair.from_jwk(PAIRS[KeyType.RSA].public.to_jwk() | {"d": "AQ"})
    with pytest.raises(ValidationError):
        KeyPair.from_jwk(PAIRS[KeyType.P256].public.to_jwk())
    with pytest.raises(ValidationError):
        PAIRS[KeyType.RSA].private_jwk()


@pytest.mark.parametrize("kind", KINDS)
def test_pair_is_restored_from_its_private_bytes_and_does_not_show_them(kind: KeyType) -> None:
    pair = PAIRS[kind]
    again = KeyPair.from_private_bytes(kind, pair.private_bytes())
    assert again.public == pair.public
    assert pair.private_bytes().hex()[:32] not in repr(pair)
    if kind is not KeyType.RSA:
        assert KeyPair.from_jwk(pair.private_jwk()).public == pair.public


def test_point_is_written_for_ecdsa_keys_only() -> None:
    for kind in ECDSA:
        public = PAIRS[kind].public
        assert PublicKey.from_point(kind, public.point()) == public
    with pytest.raises(ValidationError):
        PAIRS[KeyType.ED25519].public.point()
    with pytest.raises(ValidationError):
        PublicKey.from_point(KeyType.P256, PAIRS[KeyType.SECP256K1].public.point())


# RFC 7638, section 3.1: an RSA key and its thumbprint.
RFC7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
    "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q"
    "MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awap"
    "JzKnqDKgw"
)


def test_thumbprint_of_an_rsa_key_is_that_of_rfc_7638() -> None:
    jwk = {"kty": "RSA", "n": RFC7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert PublicKey.from_jwk(jwk).thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_ecdsa_signature_is_that_of_rfc_7515() -> None:
    key = PublicKey.from_jwk(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
    )
    signing_input = (
        b"eyJhbGciOiJFUzI1NiJ9."
        b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    signature = parse_base64url(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    key.verify(signature, signing_input)
    with pytest.raises(BadSignatureError):
        key.verify(signature, signing_input + b"x")
