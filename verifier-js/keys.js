// Whose key an Ed25519 signature was made with, and whether it fits. Ed25519 is the browser's own.

import { Malformed, equal, fromBase64url, fromHex, fromMultibase58 } from "./bytes.js";
import { parseTime } from "./times.js";

const ED25519 = Uint8Array.of(0xed, 0x01); // multicodec

const ACCOUNT_DID = /^did:web:[A-Za-z0-9._%-]+(?::[A-Za-z0-9._%-]+)*:issuers:(0x[0-9a-f]{40})$/;

/** A key of another kind than Ed25519. */
export class OtherKind extends Malformed {}

/** @param {object} document @returns {string|null} the issuer's id */
export function issuerOf(document) {
  const issuer = document.issuer;
  const id = issuer !== null && typeof issuer === "object" ? issuer.id : issuer;
  return typeof id === "string" ? id : null;
}

/** @param {string} did @returns {Uint8Array|null} the account that stands in a DID of a registry's server */
export function accountInDid(did) {
  const found = ACCOUNT_DID.exec(did);
  return found === null ? null : fromHex(found[1], 20);
}

/**
 * The Ed25519 key of a verification method, which must be the issuer's, for assertions, and in force.
 *
 * @param {string} method its absolute id
 * @param {string|null} issuer
 * @param {{documents: Record<string, object>, now: Date}} known DID documents by DID
 * @returns {Uint8Array|null} null where the issuer's document is not here
 * @throws {Malformed} it is another's, not listed, or its time is over
 * @throws {OtherKind}
 */
export function keyOf(method, issuer, known) {
  if (typeof method !== "string") throw new Malformed("a proof names no verification method");
  if (method.split("#")[0] !== issuer) throw new Malformed("a proof was made with another's key, and not the issuer's");
  const methods = methodsOf(issuer, known);
  if (methods === null) return null;
  const found = methods.find(({ id }) => id === method);
  if (found === undefined) throw new Malformed("the DID document lists no such key for assertions");
  if (found.isOver) throw new Malformed("a key has been revoked or has expired");
  return found.read();
}

/**
 * What an issuer lists for assertions.
 *
 * @returns {{id: string, isOver: boolean, read: function(): Uint8Array}[]|null} null as of `keyOf`
 * @throws {Malformed} the document is another's
 */
export function methodsOf(issuer, { documents, now }) {
  if (issuer?.startsWith("did:key:")) {
    const multikey = issuer.slice("did:key:".length);
    return [{ id: `${issuer}#${multikey}`, isOver: false, read: () => ofMultikey(multikey) }];
  }
  const document = Object.hasOwn(documents, issuer) ? documents[issuer] : undefined;
  if (document === undefined) return null;
  if (document.id !== issuer) throw new Malformed("the DID document is another's");
  const listed = new Set([document.assertionMethod ?? []].flat().map((one) => absolute(one?.id ?? one, issuer)));
  return [document.verificationMethod ?? []]
    .flat()
    .filter((one) => listed.has(absolute(one?.id, issuer)))
    .map((one) => ({
      id: absolute(one.id, issuer),
      isOver: [one.revoked, one.expires].some((end) => end != null && parseTime(end) <= now),
      read: () => (one.publicKeyMultibase === undefined ? ofJwk(one.publicKeyJwk) : ofMultikey(one.publicKeyMultibase)),
    }));
}

/** @returns {Promise<boolean|null>} whether the signature fits; null where this browser knows no Ed25519 */
export async function fits(key, signature, data) {
  const ed25519 = { name: "Ed25519" };
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key, ed25519, false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify(ed25519, imported, signature, data);
}

/** The key of a JSON Web Key (RFC 8037, section 2). */
export function ofJwk(jwk) {
  if (jwk?.kty !== "OKP" || jwk.crv !== "Ed25519" || typeof jwk.x !== "string") throw otherKind();
  if ("d" in jwk) throw new Malformed("a key that is shown is a private one");
  const key = fromBase64url(jwk.x, "a key");
  if (key.length !== 32) throw new Malformed("a key does not have 32 bytes");
  return key;
}

function ofMultikey(multibase) {
  const bytes = fromMultibase58(multibase, "a key");
  if (bytes.length !== 34 || !equal(bytes.subarray(0, 2), ED25519)) throw otherKind();
  return bytes.subarray(2);
}

function absolute(id, did) {
  return typeof id === "string" && id.startsWith("#") ? did + id : id;
}

function otherKind() {
  return new OtherKind("the key is of another kind than the signature");
}
