"""From the server's address to DIDs and back."""

from __future__ import annotations

import pytest

from registry.credentials.did_web import (
    DID_DOCUMENT_PATH,
    PROFILE_PATH,
    REVOCATION_LIST_PATH,
    issuer_did,
    issuer_of_did,
    issuer_of_url,
    public_base,
    url_below,
)
from registry.encoding import Address
from registry.errors import ConfigurationError

ISSUER = Address(bytes.fromhex("ab" * 20))
HEX = "0x" + "ab" * 20


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host.example",
        "ftp://host.example",
        "https://",
        "https://user@host.example",
        "https://user:secret@host.example",
        "https://host.example/?q",
        "https://host.example/#f",
        "https://127.0.0.1:8000",
        "https://10.1",
        "https://[::1]:8000",
        "https://host.example:99999",
        "https://host.example:x",
        "https://hôte.example",
        "https://host_name.example",
        "https://-host.example",
        "https://host..example",
        "https://host.example/a:b",
        "https://host.example/a%20b",
        "https://host.example/..",
        "https://host.example/a//b",
        "https://[host",
    ],
)
def test_address_that_no_did_can_be_made_of_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="ROOTMARK_PUBLIC_URL") as caught:
        public_base(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "base", "did"),
    [
        ("http://localhost:8000", "http://localhost:8000", f"did:web:localhost%3A8000:issuers:{HEX}"),
        ("HTTPS://Host.Example/", "https://host.example", f"did:web:host.example:issuers:{HEX}"),
        ("https://host.example:443", "https://host.example", f"did:web:host.example:issuers:{HEX}"),
        (
            "https://host.example:8443/Reg.1/x_y/",
            "https://host.example:8443/Reg.1/x_y",
            f"did:web:host.example%3A8443:Reg.1:x_y:issuers:{HEX}",
        ),
        ("http://host.example:80", "http://host.example", f"did:web:host.example:issuers:{HEX}"),
    ],
)
def test_did_has_host_port_path_and_the_address_in_lower_case(url: str, base: str, did: str) -> None:
    assert public_base(url) == base
    assert public_base(base) == base
    assert issuer_did(base, ISSUER) == did
    assert issuer_of_did(base, did) == ISSUER


def test_did_whose_port_was_decoded_in_a_path_names_the_issuer() -> None:
    assert issuer_of_did("http://localhost:8000", f"did:web:localhost:8000:issuers:{HEX}") == ISSUER


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:web:other.example:issuers:" + HEX,
        "did:web:host.example",
        "did:web:host.example:issuers:",
        "did:web:host.example:issuers:" + HEX.upper(),
        "did:web:host.example:issuers:0x" + "AB" * 20,
        "did:web:host.example:issuers:" + HEX + "0",
        "did:web:host.example:issuers:" + HEX + "#chain-1",
        "did:web:host.example:issuers:" + HEX + "\n",
        "did:web:host.example:x:issuers:" + HEX,
        "did:WEB:host.example:issuers:" + HEX,
        "did:web:host.example.evil.example:issuers:" + HEX,
    ],
)
def test_other_dids_name_no_issuer(did: str) -> None:
    assert issuer_of_did("https://host.example", did) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://host.example",
        f"https://host.example/issuers/{HEX}",
        f"https://host.example/issuers/{HEX}/",
        f"https://host.example/issuers/{HEX}/other.json",
        f"https://host.example/issuers/{HEX}/did.json?x",
        f"https://host.example/issuers/{HEX}/x/did.json",
        f"https://host.example/issuers/{HEX.upper()}/did.json",
        f"https://host.example:8443/issuers/{HEX}/did.json",
        f"https://evil.example/host.example/issuers/{HEX}/did.json",
        f"https://user@host.example/issuers/{HEX}/did.json",
    ],
)
def test_other_urls_are_none_of_an_issuers_documents(url: str) -> None:
    assert issuer_of_url("https://host.example", url) is None


@pytest.mark.parametrize("path", [DID_DOCUMENT_PATH, PROFILE_PATH, REVOCATION_LIST_PATH])
def test_url_of_a_document_leads_back_to_it_whatever_the_scheme(path: str) -> None:
    url = url_below("http://host.example:8000/x", path, ISSUER)
    assert issuer_of_url("http://host.example:8000/x", url) == (path, ISSUER)
    assert issuer_of_url("http://host.example:8000/x", url.replace("http:", "https:")) == (path, ISSUER)
