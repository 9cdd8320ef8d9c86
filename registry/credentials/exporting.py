"""How an award's credential is handed out: as JSON, in a token, in a picture, with what proves it beside it.

The JSON is what was signed when the award was issued, with the anchor as its first proof where a verifier of
such proofs can check it (`registry.credentials.own_anchors`). A token is signed when it is asked for, by the
issuer's present key, over the credential without its proofs, so that its digest is the anchored one too; the
signature is deterministic. Nothing that is handed out is stored.

Invariant: an erased award, or one whose batch has failed, is not handed out.

Source: Open Badges 3.0, sections 5.3 (baking) and 8.2 (VC-JWT); Securing Verifiable Credentials using JOSE
and COSE, section 3.1; media types: VC Data Model 2.0, appendix C, and RFC 7519, section 10.3.1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson

from registry.credentials.achievement_images import own_picture
from registry.credentials.carriers.images import (
    PNG_TYPE,
    SVG_TYPE,
    Picture,
    default_badge,
    picture_in_png,
    picture_in_svg,
)
from registry.credentials.carriers.png import bake_png
from registry.credentials.carriers.svg import bake_svg
from registry.credentials.certificates.designs import design_of
from registry.credentials.certificates.drawing import draw
from registry.credentials.certificates.filling import certificate_of
from registry.credentials.did_documents import public_key_of
from registry.credentials.formats.data_model import issuer_of
from registry.credentials.formats.jwt_credentials import issue_vc_jose, issue_vc_jwt
from registry.credentials.identity import IdentityService, IssuerSigner
from registry.credentials.own_anchors import OwnAnchors
from registry.encoding import AccountId, ChainId
from registry.errors import NotFoundError, UnsupportedByNodeError, WrongStateError
from registry.merkle import AnchorHint, InclusionProof, proof_to_json
from registry.model.awards import Award
from registry.model.batches import Batch, BatchState, Entry
from registry.model.issuers import Caller
from registry.model.pages import PAGE_PATH
from registry.ports.chain import Chain
from registry.ports.store import Store
from registry.services.access import may_see_private
from registry.services.offline import VerifyRequest, make_bundle
from registry.services.sealing import inclusion_proof

JSON_TYPE = "application/vc"
VC_JOSE_TYPE = "application/vc+jwt"
JWT_TYPE = "application/jwt"
PLAIN_JSON_TYPE = "application/json"
PDF_TYPE = "application/pdf"


class ExportFormat(StrEnum):
    """What can be asked for."""

    JSON = "json"
    JWT = "jwt"
    VC_JWT = "vc-jwt"
    PNG = "png"
    SVG = "svg"
    PDF = "pdf"
    PROOF = "proof"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file, and what it may be called."""

    media_type: str
    file_name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Held:
    """An award with all that its credential is made of; ``document`` as it was secured. ``show_name`` and
    ``show_page`` say whether a certificate may bear the recipient's name and the address of the page."""

    award: Award
    entry: Entry
    batch: Batch
    document: bytes
    inclusion: InclusionProof
    show_name: bool
    show_page: bool


class AwardExports:
    """Hands out the credentials of awards. For their issuer's keys and the server's administrator."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        identity: IdentityService,
        anchors: OwnAnchors,
        *,
        confirmations: int,
    ) -> None:
        self._store = store
        self._chain = chain
        self._identity = identity
        self._anchors = anchors
        self._confirmations = confirmations
        self._makers: Mapping[ExportFormat, Callable[[_Held], Exported]] = {
            ExportFormat.JSON: self._json,
            ExportFormat.JWT: self._jwt,
            ExportFormat.VC_JWT: self._vc_jwt,
            ExportFormat.PNG: self._png,
            ExportFormat.SVG: self._svg,
            ExportFormat.PDF: self._pdf,
            ExportFormat.PROOF: self._proof,
            ExportFormat.BUNDLE: self._bundle,
        }

    def export(
        self,
        caller: Caller,
        award_id: str,
        wanted: ExportFormat,
        *,
        show_name: bool = True,
        show_page: bool = True,
    ) -> Exported:
        """The award's credential in a format; a certificate names the recipient and the credential's page
        only if these may be shown.

        Raises:
            NotFoundError: no such award of the caller's issuer.
            WrongStateError: it is erased or its batch has failed; a token for a DID that is the issuer's no
                longer; a bundle before the anchor is final, or where the node proves no storage.
            ChainUnavailableError: the node does not answer, where it is needed.
            SignerError: a token cannot be signed.
            ValidationError: a certificate cannot be drawn, since no font has one of its characters.
        """
        return self._makers[wanted](self._held(caller, award_id, show_name=show_name, show_page=show_page))

    def picture(self, caller: Caller, award_id: str) -> Picture:
        """The badge's picture with nothing baked in. Raises as `export`."""
        return self._picture(self._held(caller, award_id).award)[0]

    def pixels(self, caller: Caller, award_id: str) -> Picture:
        """The same as a PNG, whatever was uploaded. Raises as `export`."""
        return picture_in_png(*self._picture(self._held(caller, award_id).award))

    def document(self, caller: Caller, award_id: str) -> dict[str, Any]:
        """The credential with its proofs, as `json` hands it out. Raises as `export`."""
        return self._secured(self._held(caller, award_id))

    def token(self, caller: Caller, award_id: str) -> str:
        """The credential as `jwt` hands it out. Raises as `export`."""
        return self._jwt(self._held(caller, award_id)).data.decode()

    def _held(
        self, caller: Caller, award_id: str, *, show_name: bool = True, show_page: bool = True
    ) -> _Held:
        with self._store.read() as unit:
            award = unit.awards.get(award_id)
            if award is None or not may_see_private(caller, award.issuer):
                raise NotFoundError("no such award of this issuer")
            entries = unit.entries.by_indices([(award.batch_seq, award.index)])
            document = unit.entries.document(award.batch_seq, award.index)
            batch = unit.batches.by_seq(award.batch_seq)
            if not entries or document is None or batch is None:
                raise WrongStateError("the award is erased")
            if batch.state is BatchState.FAILED:
                raise WrongStateError("the award's batch has failed: nothing vouches for it")
            inclusion = inclusion_proof(unit, entries[0])
            return _Held(award, entries[0], batch, document, inclusion, show_name, show_page)

    # --- documents ------------------------------------------------------------------------------------------

    def _secured(self, held: _Held) -> dict[str, Any]:
        """The credential with its proofs, the anchor first."""
        document: dict[str, Any] = orjson.loads(held.document)
        anchor = self._anchors.proof(held.batch, held.inclusion, issuer_of(document) or "")
        if anchor is not None:
            stored = document.get("proof", [])
            document["proof"] = [anchor, *(stored if isinstance(stored, list) else [stored])]
        return document

    def _json(self, held: _Held) -> Exported:
        return _exported(held, JSON_TYPE, "credential", "json", orjson.dumps(self._secured(held)))

    def _jwt(self, held: _Held) -> Exported:
        unsecured, signer = self._unsecured(held)
        token = issue_vc_jose(unsecured, public_key_of(signer.key), signer.method, signer.signer.sign)
        return _exported(held, VC_JOSE_TYPE, "credential", "jwt", token.encode())

    def _vc_jwt(self, held: _Held) -> Exported:
        unsecured, signer = self._unsecured(held)
        token = issue_vc_jwt(unsecured, public_key_of(signer.key), signer.signer.sign, kid=signer.method)
        return _exported(held, JWT_TYPE, "credential", "vc.jwt", token.encode())

    def _unsecured(self, held: _Held) -> tuple[dict[str, Any], IssuerSigner]:
        """What a token wraps, and who signs it."""
        document = orjson.loads(held.document)
        signer = self._identity.signer(held.award.issuer)
        if issuer_of(document) != signer.did:
            raise WrongStateError("the credential is by a DID that the issuer has no longer: it has no key")
        return {name: value for name, value in document.items() if name != "proof"}, signer

    # --- pictures -------------------------------------------------------------------------------------------

    def _png(self, held: _Held) -> Exported:
        picture = picture_in_png(*self._picture(held.award))
        baked = bake_png(picture.data, orjson.dumps(self._secured(held)))
        return _exported(held, PNG_TYPE, "badge", "png", baked)

    def _svg(self, held: _Held) -> Exported:
        picture = picture_in_svg(*self._picture(held.award))
        text = json.dumps(self._secured(held), separators=(",", ":"))  # escapes what XML cannot hold
        return _exported(held, SVG_TYPE, "badge", "svg", bake_svg(picture.data, text.encode()))

    def _picture(self, award: Award) -> tuple[Picture, str]:
        """The achievement's picture, where it was uploaded here, else a drawn one; and its name."""
        with self._store.read() as unit:
            found = unit.achievements.get(award.achievement_id, award.achievement_version)
            picture = None if found is None else own_picture(unit, found)
        name = "" if found is None else str(found.document["name"])
        return picture or default_badge(name), name

    # --- on paper -------------------------------------------------------------------------------------------

    def _pdf(self, held: _Held) -> Exported:
        document = self._secured(held)
        proof = self._shown_proof(held)
        with self._store.read() as unit:
            page = unit.pages.of_award(held.award.id) if held.show_page else None
            design = design_of(unit, held.award.issuer)
        certificate = certificate_of(
            document,
            proof,
            design,
            holder=held.award.recipient_name if held.show_name else None,
            address=self._identity.base() + ("/" if page is None else f"{PAGE_PATH}{page.id}"),
            has_page=page is not None,
            test_chain=self._chain.info.test_chain,
        )
        return _exported(held, PDF_TYPE, "certificate", "pdf", draw(certificate))

    # --- what proves it -------------------------------------------------------------------------------------

    def _proof(self, held: _Held) -> Exported:
        made = proof_to_json(self._shown_proof(held))
        return _exported(held, PLAIN_JSON_TYPE, "proof", "json", orjson.dumps(made))

    def _shown_proof(self, held: _Held) -> InclusionProof:
        """With the hints where its root stands."""
        registry = AccountId(ChainId(self._chain.info.chain_id), self._chain.info.address)
        at = held.batch.anchor
        hint = None
        if at is not None:
            hint = AnchorHint(at.transaction, at.block_number, at.block_hash, at.anchored_at)
        return replace(held.inclusion, registry=registry, anchor=hint)

    def _bundle(self, held: _Held) -> Exported:
        if held.batch.state is not BatchState.FINAL:
            raise WrongStateError("the award's anchor is not final yet, and a bundle is of a final block")
        request = VerifyRequest(
            credential=self._secured(held),
            proof=self._shown_proof(held),
            computed={held.entry.method: held.entry.digest},
        )
        try:
            made = make_bundle(self._chain, request, confirmations=self._confirmations)
        except UnsupportedByNodeError as error:
            detail = "the chain's node proves no storage (eth_getProof), of which bundles are made"
            raise WrongStateError(detail) from error
        return _exported(held, PLAIN_JSON_TYPE, "bundle", "json", orjson.dumps(made))


def _exported(held: _Held, media_type: str, kind: str, ending: str, data: bytes) -> Exported:
    return Exported(media_type, f"{kind}-{held.award.id}.{ending}", data)
