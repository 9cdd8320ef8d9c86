// Signatures inside a document: Data Integrity proofs of the suites eddsa-rdfc-2022 and eddsa-jcs-2022
// (Data Integrity EdDSA Cryptosuites v1.0, sections 3.2 and 3.3). Ed25519 is the browser's own.

import { Malformed, concat, equal, fromMultibase58, sha256, utf8 } from "./bytes.js";
import { canonical } from "./jcs.js";

const ED25519 = [0xed, 0x01]; // multicodec
const MAX_PROOFS = 10;
const ANCHORS = new Set(["merkle-proof-2019"]);

/** @typedef {{result: "pass"|"fail"|"unknown"|"skipped", detail: string}} Finding */

/** @param {object} document @returns {object[]} its proofs, RootmarkProofs left out */
export function proofsOf(document) {
  const found = document.proof === undefined ? [] : [document.proof].flat();
  return found.filter((proof) => proof?.type !== "RootmarkProof/v1");
}

/** @param {object} document as a copy without its proofs */
export function unsecured(document) {
  const { proof: _proof, ...rest } = document;
  return Object.assign(Object.create(null), rest);
}

/**
 * Check every signature; the worst finding is the answer.
 *
 * @param {object} document
 * @param {Record<string, object>} documents DID documents by DID
 * @returns {Promise<Finding>}
 */
export async function checkSignatures(document, documents) {
  const proofs = proofsOf(document);
  if (proofs.length === 0) return { result: "skipped", detail: "it carries no signature that was looked at" };
  if (proofs.length > MAX_PROOFS) return { result: "fail", detail: `it has more than ${MAX_PROOFS} proofs` };
  const signatures = proofs.filter((proof) => !ANCHORS.has(proof?.cryptosuite));
  if (signatures.length === 0) {
    return { result: "skipped", detail: "the document carries no signature of its own beside its anchor" };
  }
  const found = await Promise.all(signatures.map((proof) => checkOne(document, proof, documents)));
  for (const result of ["fail", "unknown"]) {
    const worse = found.find((finding) => finding.result === result);
    if (worse) return worse;
  }
  return found[0];
}

async function checkOne(document, proof, documents) {
  try {
    const suite = proof?.type === "DataIntegrityProof" ? proof.cryptosuite : undefined;
    if (suite !== "eddsa-rdfc-2022" && suite !== "eddsa-jcs-2022") {
      return { result: "unknown", detail: "a proof is of a suite that is not verified here" };
    }
    if (proof.proofPurpose !== "assertionMethod") {
      return { result: "fail", detail: "a proof was not made as an assertion" };
    }
    const key = keyOf(proof.verificationMethod, issuerOf(document), documents);
    if (key === null) return { result: "unknown", detail: "the issuer's DID document was not given" };
    const signature = fromMultibase58(proof.proofValue, "proofValue");
    if (signature.length !== 64) throw new Malformed("proofValue is no Ed25519 signature");
    const data = await signedData(document, proof, suite);
    const ed25519 = { name: "Ed25519" };
    let imported;
    try {
      imported = await crypto.subtle.importKey("raw", key, ed25519, false, ["verify"]);
    } catch {
      return { result: "unknown", detail: "this browser knows no Ed25519" };
    }
    const fits = await crypto.subtle.verify(ed25519, imported, signature, data);
    return fits
      ? { result: "pass", detail: `the ${suite} proof was made with the issuer's key` }
      : { result: "fail", detail: `the ${suite} proof does not fit the document` };
  } catch (error) {
    if (error instanceof Malformed) return { result: "fail", detail: error.message };
    return { result: "unknown", detail: error.message };
  }
}

/** The two digests that were signed, the proof's options first. */
async function signedData(document, proof, suite) {
  const { proofValue: _value, ...options } = proof;
  const bare = unsecured(document);
  if (suite === "eddsa-jcs-2022") {
    if (options["@context"] !== undefined) bare["@context"] = sameStart(options["@context"], document["@context"]);
    return concat(await sha256(utf8(canonical(options))), await sha256(utf8(canonical(bare))));
  }
  const { canonicalQuads } = await import("./rdf.js");
  options["@context"] = document["@context"];
  return concat(
    await sha256(utf8(await canonicalQuads(options))),
    await sha256(utf8(await canonicalQuads(bare))),
  );
}

function sameStart(ofProof, ofDocument) {
  const [proofs, documents] = [[ofProof].flat(), [ofDocument].flat()];
  if (!proofs.every((one, k) => canonical(one) === canonical(documents[k] ?? null))) {
    throw new Malformed("the proof's contexts are not the document's");
  }
  return ofProof;
}

/** @returns {string|null} the issuer's id */
export function issuerOf(document) {
  const issuer = document.issuer;
  const id = issuer !== null && typeof issuer === "object" ? issuer.id : issuer;
  return typeof id === "string" ? id : null;
}

/** The Ed25519 key of a verification method that is the issuer's; null where its document is not here. */
function keyOf(method, issuer, documents) {
  if (typeof method !== "string") throw new Malformed("a proof names no verification method");
  const [did] = method.split("#");
  if (did !== issuer) throw new Malformed("a proof was made with another's key, and not the issuer's");
  if (did.startsWith("did:key:")) return ed25519Of(did.slice("did:key:".length));
  const document = Object.hasOwn(documents, did) ? documents[did] : undefined;
  if (document === undefined) return null;
  if (document.id !== did) throw new Malformed("the DID document is another's");
  const isListed = (document.assertionMethod ?? []).some((one) => absolute(one?.id ?? one, did) === method);
  const found = (document.verificationMethod ?? []).find((one) => absolute(one?.id, did) === method);
  if (!isListed || found === undefined) throw new Malformed("the DID document lists no such key for assertions");
  if (found.publicKeyMultibase !== undefined) return ed25519Of(found.publicKeyMultibase);
  const jwk = found.publicKeyJwk;
  if (jwk?.kty !== "OKP" || jwk.crv !== "Ed25519" || typeof jwk.x !== "string") {
    throw new Malformed("the key is of another kind than the proof's suite");
  }
  return Uint8Array.from(atob(jwk.x.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
}

function absolute(id, did) {
  return typeof id === "string" && id.startsWith("#") ? did + id : id;
}

function ed25519Of(multibase) {
  const bytes = fromMultibase58(multibase, "a key");
  if (bytes.length !== 34 || !equal(bytes.subarray(0, 2), Uint8Array.from(ED25519))) {
    throw new Malformed("the key is of another kind than the proof's suite");
  }
  return bytes.subarray(2);
}
