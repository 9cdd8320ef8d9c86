// Credentials that a compact JSON Web Signature wraps: VC-JOSE (`typ: vc+jwt`) and the VC-JWT of Open Badges 3.0.
// Loaded only when a token is shown.
//
// Invariants: the algorithm is that of the key, never what the token says alone; where registered claims and the
// credential speak of the same thing, they agree, since two readers would see two credentials otherwise.
//
// Source: RFC 7515, sections 3.1 and 5.2; RFC 8037, section 3.1; Securing Verifiable Credentials using JOSE and
// COSE, section 3.1; Open Badges 3.0, section 8.2.

import { Malformed, equal, fromBase64url, utf8 } from "./bytes.js";
import { OtherKind, fits, issuerOf, keyOf, methodsOf, ofJwk } from "./keys.js";
import { parseJson } from "./strict-json.js";

const VC_JOSE = "vc+jwt";
const CLAIMS = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
const TIMES = ["exp", "nbf", "iat"];
const KNOWN = ["EdDSA", "Ed25519", "ES256", "ES384", "ES256K", "RS256"]; // of which the first two are verified here
const NEVER = ["none", "hs256", "hs384", "hs512"];
const MAX_SECONDS = 253402300799;

/**
 * @typedef {object} Token
 * @property {object} document the credential, without the registered claims
 * @property {{from: Date|null, until: Date|null}} dates those that the claims set beside the credential's
 * @property {string|null} problem why the token contradicts itself, or what it wraps
 */

/**
 * Take a token apart; its signature is not looked at.
 *
 * @param {string} text
 * @returns {Token}
 * @throws {Malformed} it is none, or wraps its credential in a way that is not read here
 */
export function readToken(text) {
  const parts = text.split(".");
  if (parts.length !== 3) throw new Malformed("a token has three parts between dots");
  const [header, payload, signature] = parts.map((part) => fromBase64url(part, "a token's part"));
  const [headers, claims] = [objectOf(header, "header"), objectOf(payload, "payload")];
  if (typeof headers.alg !== "string") throw new Malformed("a token's header names an algorithm");
  if ("crit" in headers || "b64" in headers) throw new Malformed("the token asks for extensions that are not known here");
  if (["typ", "cty", "kid"].some((name) => name in headers && typeof headers[name] !== "string")) {
    throw new Malformed("a member of the token's header is not a text");
  }
  if ("vc" in claims) throw new Malformed("a token with its credential in a claim is not read here");
  const document = Object.assign(Object.create(null), claims);
  for (const name of CLAIMS) delete document[name];
  const token = { document, headers, claims, signature, signed: utf8(`${parts[0]}.${parts[1]}`) };
  const problem = whyContradictory(token);
  const dates = { from: null, until: null };
  if (problem === null) Object.assign(dates, { from: instant(claims.nbf), until: instant(claims.exp) });
  return { ...token, dates, problem };
}

function objectOf(bytes, name) {
  const value = parseJson(bytes);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Malformed(`a token's ${name} is a JSON object`);
  }
  return value;
}

// --- claims ---

function whyContradictory({ headers, claims, document }) {
  const type = (headers.typ ?? "jwt").toLowerCase().replace(/^application\//, "");
  const subject = subjectOf(document);
  const expected = { iss: issuerOf(document), jti: document.id ?? null, sub: subject };
  for (const [name, value] of Object.entries(expected)) {
    if (name in claims && claims[name] !== value) return `the token's claim ${name} contradicts the credential`;
  }
  for (const name of TIMES) {
    if (name in claims && !isSeconds(claims[name])) return `the token's claim ${name} is not a time in seconds`;
  }
  if (type === VC_JOSE) {
    const content = (headers.cty ?? "vc").toLowerCase().replace(/^application\//, "");
    const isOfCredential = content === "vc" || content === "vc+ld+json";
    if (!isOfCredential) return "the token says that it holds something else than a credential";
    return "vp" in claims ? "the token wraps a presentation" : null;
  }
  if (type !== "jwt") return "the token is of another type than JWT";
  const wanted = ["iss", "jti", "nbf", ...(subject === null ? [] : ["sub"])];
  if (wanted.some((name) => claims[name] == null)) return "the token lacks one of the claims iss, jti, nbf and sub";
  const [starts, ends] = [timeOf(document, "validFrom", "issuanceDate"), timeOf(document, "validUntil", "expirationDate")];
  if (ends !== null && !("exp" in claims)) return "the credential has an end, and the token has no claim exp";
  if (differs(claims.nbf, starts)) return "the token's claim nbf contradicts the credential";
  return differs(claims.exp, ends) ? "the token's claim exp contradicts the credential" : null;
}

function subjectOf(document) {
  const subject = document.credentialSubject;
  const only = Array.isArray(subject) && subject.length === 1 ? subject[0] : subject;
  return only?.id ?? null;
}

/** The first of these members as milliseconds, where it is a time; its form is judged elsewhere. */
function timeOf(document, ...names) {
  const time = Date.parse(names.map((name) => document[name]).find((one) => one != null));
  return Number.isNaN(time) ? null : time;
}

/** Whether a claim says another second than the credential. */
function differs(claim, time) {
  return claim != null && time !== null && Math.floor(claim) !== Math.floor(time / 1000);
}

function isSeconds(value) {
  return typeof value === "number" && value >= 0 && value <= MAX_SECONDS;
}

/** A NumericDate (RFC 7519, section 2), without its fraction. */
function instant(value) {
  return value === undefined ? null : new Date(Math.floor(value) * 1000);
}

// --- its signature ---

/**
 * @param {Token} token
 * @param {{documents: Record<string, object>, now: Date}} known DID documents by DID
 * @returns {Promise<{result: "pass"|"fail"|"unknown", detail: string}>}
 */
export async function checkToken(token, known) {
  const { headers, document, signature, signed } = token;
  if (NEVER.includes(headers.alg.toLowerCase())) return fail("the token is not signed with a public key");
  const isEd25519 = headers.alg === "EdDSA" || headers.alg === "Ed25519";
  try {
    const named = namedKey(headers, issuerOf(document), known);
    if (!KNOWN.includes(headers.alg)) return unknown("the token is signed by an algorithm that is not verified here");
    if (named.key === null) return unknown("the token's key is not named by a DID whose document was given");
    if (!isEd25519) return fail("the token names another algorithm than its key has");
    const isFitting = await fits(named.key, signature, signed);
    if (isFitting === null) return unknown("this browser knows no Ed25519");
    if (!isFitting) return fail("the token's signature does not fit");
    if (!named.isIssuers) return unknown("the signature fits the key in the token, but whose key that is remains open");
    return { result: "pass", detail: "the token was signed with the issuer's key" };
  } catch (error) {
    if (error instanceof OtherKind && !isEd25519) return unknown("the token is signed in a way that is not verified here");
    if (error instanceof Malformed) return fail(error.message);
    throw error;
  }
}

/** The key that a header names or shows, and whether it is known to be the issuer's. */
function namedKey({ kid, jwk }, issuer, known) {
  const shown = jwk === undefined ? null : ofJwk(jwk);
  const isAddress = kid !== undefined && /^(did:|https?:|#)/.test(kid);
  if (isAddress && !/^(did:|#)/.test(kid)) return { key: shown, isIssuers: false }; // nothing is fetched
  if (isAddress) {
    const key = keyOf(absoluteKid(kid, issuer), issuer, known);
    if (key !== null && shown !== null && !equal(key, shown)) throw new Malformed("the token names one key and shows another");
    return key === null ? { key: shown, isIssuers: false } : { key, isIssuers: true };
  }
  const methods = methodsOf(issuer, known)?.filter(({ isOver }) => !isOver);
  if (methods === undefined) return { key: shown, isIssuers: false };
  if (shown !== null) {
    if (!methods.some((method) => isOf(method, shown))) throw new Malformed("the token's key is none that its issuer lists");
    return { key: shown, isIssuers: true };
  }
  const found = kid === undefined ? methods : methods.filter(({ id }) => id.split("#")[1] === kid);
  if (kid !== undefined && found.length === 0) return { key: null, isIssuers: false }; // it may be a thumbprint
  if (found.length !== 1) throw new Malformed("the token does not say which of its issuer's keys signed it");
  return { key: found[0].read(), isIssuers: true };
}

/** A did:key has one method, so that its name alone names it. */
function absoluteKid(kid, issuer) {
  if (kid.startsWith("#")) return `${issuer}${kid}`;
  return kid.startsWith("did:key:") && !kid.includes("#") ? `${kid}#${kid.slice("did:key:".length)}` : kid;
}

function isOf(method, key) {
  try {
    return equal(method.read(), key);
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

function fail(detail) {
  return { result: "fail", detail };
}

function unknown(detail) {
  return { result: "unknown", detail };
}
