// Signatures inside a document: Data Integrity proofs of the suites eddsa-rdfc-2022 and eddsa-jcs-2022
// (Data Integrity EdDSA Cryptosuites v1.0, sections 3.2 and 3.3).

import { Malformed, concat, fromMultibase58, sha256, utf8 } from "./bytes.js";
import { canonical } from "./jcs.js";
import { fits, issuerOf, keyOf } from "./keys.js";
import { parseTime } from "./times.js";

const MAX_PROOFS = 10;
const ANCHORS = new Set(["merkle-proof-2019"]);

/**
 * @typedef {{result: "pass"|"fail"|"unknown"|"skipped", detail: string, isIssuers?: boolean}} Finding with several
 *   signatures the worst; `isIssuers` when any of them is known to be the issuer's
 */

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
 * @param {{documents: Record<string, object>, now: Date}} known DID documents by DID
 * @returns {Promise<Finding>}
 */
export async function checkSignatures(document, known) {
  const proofs = proofsOf(document);
  if (proofs.length === 0) return { result: "skipped", detail: "it carries no signature that was looked at" };
  if (proofs.length > MAX_PROOFS) return { result: "fail", detail: `it has more than ${MAX_PROOFS} proofs` };
  const signatures = proofs.filter((proof) => !ANCHORS.has(proof?.cryptosuite));
  if (signatures.length === 0) {
    return { result: "skipped", detail: "the document carries no signature of its own beside its anchor" };
  }
  return worst(await Promise.all(signatures.map((proof) => checkOne(document, proof, known))));
}

/** @param {Finding[]} found at least one @returns {Finding} */
export function worst(found) {
  const isIssuers = found.some((finding) => finding.result === "pass");
  for (const result of ["fail", "unknown", "pass"]) {
    const worse = found.find((finding) => finding.result === result);
    if (worse) return { ...worse, isIssuers };
  }
  return found[0];
}

async function checkOne(document, proof, known) {
  try {
    const suite = proof?.type === "DataIntegrityProof" ? proof.cryptosuite : undefined;
    if (suite !== "eddsa-rdfc-2022" && suite !== "eddsa-jcs-2022") {
      return { result: "unknown", detail: "a proof is of a suite that is not verified here" };
    }
    if (proof.proofPurpose !== "assertionMethod") {
      return { result: "fail", detail: "a proof was not made as an assertion" };
    }
    if (proof.expires !== undefined && parseTime(proof.expires) <= known.now) {
      return { result: "fail", detail: "a proof has expired" };
    }
    const key = keyOf(proof.verificationMethod, issuerOf(document), known);
    if (key === null) return { result: "unknown", detail: "the issuer's DID document was not given" };
    const signature = fromMultibase58(proof.proofValue, "proofValue");
    if (signature.length !== 64) throw new Malformed("proofValue is no Ed25519 signature");
    const isFitting = await fits(key, signature, await signedData(document, proof, suite));
    if (isFitting === null) return { result: "unknown", detail: "this browser knows no Ed25519" };
    return isFitting
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
  const contexts = document["@context"];
  const bare = unsecured(document);
  if (options["@context"] !== undefined && canonical(options["@context"]) !== canonical(contexts ?? null)) {
    throw new Malformed("the document has other contexts than the proof covers"); // unsigned ones would change its terms
  }
  if (proof.previousProof !== undefined) bare.proof = previousOf(document, proof);
  if (suite === "eddsa-jcs-2022") {
    return concat(await sha256(utf8(canonical(options))), await sha256(utf8(canonical(bare))));
  }
  const { canonicalQuads } = await import("./rdf.js");
  options["@context"] = contexts;
  return concat(
    await sha256(utf8(await canonicalQuads(options))),
    await sha256(utf8(await canonicalQuads(bare))),
  );
}

/** The proofs that one follows, which it covers too (Data Integrity, section 4.5). */
function previousOf(document, proof) {
  const names = [proof.previousProof].flat();
  const found = [document.proof].flat().filter((one) => one?.id !== undefined && names.includes(one.id));
  if (found.length !== names.length) throw new Malformed("a proof follows another that is missing, or there twice");
  return found;
}
