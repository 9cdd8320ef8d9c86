// From what was shown and what the chain says to the verdict. Pure: nothing is asked here. The rules are those of
// docs/verdicts.md.

import { equal, toHex } from "./bytes.js";
import { REASONS, TEST_CHAINS } from "./constants.js";
import { accountInDid, issuerOf } from "./keys.js";
import { parseTime, timeText } from "./times.js";

const PRECEDENCE = [
  "invalid", "not_found", "withdrawn", "revoked", "indeterminate", "suspended", "pending", "expired",
  "not_yet_valid", "valid",
];
const CHECKS = ["format", "integrity", "signature", "inclusion", "anchor", "issuer", "status", "validity"];
const CONTEXTS = new Set(["https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"]);
const UNKNOWN_ISSUER = "intact, but by an issuer not known here";
const UNVERIFIABLE = "the issuer gave only an opaque digest, so nobody can tell whether the document has it";

/**
 * The report, in the shape of `POST /v1/verify`.
 *
 * @param {object} found what `verify` gathered: the claim, the document and its token, what they say of themselves, what
 *   the chain says, and what the caller expects
 */
export function judge({ claim, document, token, expected, findings, reading, now, isInvalid, options }) {
  const proof = claim.proof;
  const id = document === null ? null : issuerOf(document);
  const known = isKnown(expected, options.trusted ?? [], proof.issuer, id);
  const other = isAnother(expected, proof.issuer, id);
  const instant = options.asOf === undefined || reading.block === null ? now : new Date(reading.block.timestamp * 1000);
  const parts = { claim, document, token, id, expected, known, other, reading, findings, instant, isInvalid };
  parts.isUntied = isUntied(parts);
  const state = isInvalid ? null : stateOf(parts);
  const checks = checksOf(parts, state);
  const outcome = outcomeOf(parts, state, checks);
  const block = reading.block;
  return {
    outcome,
    summary: summaryOf(outcome, checks, reading, state),
    digest: toHex(claim.digest),
    issuer: issuerShown(parts),
    checks,
    anchor: state?.leaf ? anchorOf(proof, state) : null,
    status: statusOf(parts, state),
    as_of: {
      chain: reading.chain === null ? null : `eip155:${reading.chain}`,
      test_chain: TEST_CHAINS.has(reading.chain),
      block_number: block?.number ?? null,
      block_hash: block === null ? null : toHex(block.hash),
      block_time: block === null ? null : timeText(block.timestamp),
      source: "rpc",
      proven: reading.proven,
    },
    candidates: [],
    later: [],
  };
}

/** Of what is invalid, or another's, nothing is known but whom the caller asked about. */
function isNamed(parts) {
  return parts.isInvalid || isOtherAccount(parts);
}

function accountShown(parts) {
  return isNamed(parts) ? (parts.expected?.account ?? null) : parts.claim.proof.issuer;
}

function issuerShown(parts) {
  const { expected, known, id } = parts;
  const account = accountShown(parts);
  const shown = { address: account === null ? null : toHex(account), name: null };
  return { ...shown, known: isNamed(parts) ? expected !== null : known, ...(id === null ? {} : { id }) };
}

/**
 * Whether a credential is by somebody whom nothing ties to the account that anchored it: anybody may anchor a
 * document under another's name. A DID that ends in the account ties them, and a signature by the issuer's key.
 */
function isUntied(parts) {
  const { document, id, findings } = parts;
  const account = accountShown(parts);
  if (id === null || account === null || !looksLikeACredential(document)) return false;
  const isNamedByDid = id.startsWith("did:") && id.toLowerCase().endsWith(`:${toHex(account)}`);
  return !isNamedByDid && !findings.signature?.isIssuers;
}

function looksLikeACredential(document) {
  const contexts = [document["@context"] ?? []].flat();
  return [document.type ?? []].flat().includes("VerifiableCredential") || contexts.some((one) => CONTEXTS.has(one));
}

function isKnown(expected, trusted, account, id) {
  const isTrusted = trusted.some((text) => text.toLowerCase() === toHex(account));
  return isTrusted || (expected !== null && !isAnother(expected, account, id));
}

function isAnother(expected, account, id) {
  if (expected === null) return false;
  if (expected.id !== null) return expected.id !== id || expected.account === null || !equal(expected.account, account);
  return !equal(expected.account, account);
}

/** Whether the caller asked about another account, so that this one's entries are not looked at. */
function isOtherAccount({ expected, claim }) {
  return expected !== null && expected.id === null && !equal(expected.account, claim.proof.issuer);
}

/** What the chain says: the worse of the newest and the final state. */
function stateOf({ reading }) {
  if (reading.problem !== null) return { word: "unknown", leaf: null };
  const { latest, final } = reading.leaves;
  const leaves = [latest, final].filter((leaf) => leaf !== null);
  if (leaves.length === 0) return { word: "not_anchored", leaf: null };
  const found = [
    ["distrusted", (leaf) => leaf.anchoredAt >= leaf.keyValidUntil],
    ["withdrawn", (leaf) => leaf.withdrawnAt !== 0],
    ["revoked", (leaf) => leaf.revoked],
    ["suspended", (leaf) => leaf.suspended],
  ];
  for (const [word, applies] of found) {
    const leaf = leaves.find(applies);
    if (leaf) return { word, leaf, final: final !== null };
  }
  return { word: "active", leaf: leaves[0], final: final !== null };
}

function checksOf(parts, state) {
  const { claim, document, findings } = parts;
  const found = {
    format: findings.format ? ["fail", findings.format.detail] : ["pass", "what was shown is well-formed"],
    integrity: integrityOf(parts, state),
    signature: signatureOf(parts, state),
    inclusion: claim.notIncluded === null ? ["pass", "the proof leads from the digest to the root"] : ["fail", claim.notIncluded],
  };
  if (document === null) found.signature = ["skipped", "no signature inside the document was looked at"];
  if (claim.mismatch || claim.notIncluded !== null) {
    for (const name of CHECKS.slice(4)) found[name] = ["skipped", "not looked at, since the claim itself does not hold"];
    if (parts.isUntied) found.issuer = ["unknown", untied(parts)];
    if (document?.credentialStatus != null) found.status = ["unknown", "its status lists were not looked at"];
  } else {
    const now = state ?? stateOf(parts); // looked at although a signature failed
    found.anchor = anchorCheck(parts, now);
    found.issuer = issuerCheck(parts, now);
    found.status = statusCheck(parts, now);
    found.validity = validityCheck(parts, now);
  }
  return CHECKS.map((name) => ({ name, result: found[name][0], detail: found[name][1] }));
}

function integrityOf(parts, state) {
  const { claim, document, id } = parts;
  if (claim.mismatch) return ["fail", "the document, or the proof shown with it, does not have this digest; it is another one, or was changed"];
  if (claim.document === "not shown") return ["skipped", "no document was shown, only a digest"];
  if (claim.document === "uncheckable") return ["unknown", claim.problem ?? UNVERIFIABLE];
  const isElsewhere = state !== null && state.word !== "unknown" && (state.leaf === null || isOtherAccount(parts));
  if (isElsewhere && id !== null && looksLikeACredential(document)) {
    return ["skipped", "its digest is not anchored here, so that only its own proofs can vouch for it"];
  }
  return ["pass", `the document has this digest (${claim.proof.method})`];
}

/** An anchor that passed covers the whole document; a signature that could not be looked at takes nothing. */
function signatureOf({ claim, findings }, state) {
  const finding = findings.signature;
  if (finding === undefined) return ["skipped", "no signature inside the document was looked at"];
  const isVouched = claim.document === "match" && claim.notIncluded === null && state?.leaf && state.final;
  if (finding.result === "unknown" && isVouched) {
    if (finding.isIssuers) return ["pass", `one is the issuer's; another was not looked at: ${finding.detail}`];
    return ["skipped", `not looked at: ${finding.detail}; the anchor vouches for the whole document`];
  }
  return [finding.result, finding.detail];
}

function anchorCheck(parts, state) {
  const { reading } = parts;
  if (reading.problem !== null) return ["unknown", reading.problem];
  if (state.leaf === null || isOtherAccount(parts)) return ["fail", `not anchored on eip155:${reading.chain}`];
  const when = `anchored on eip155:${reading.chain}, on ${timeText(state.leaf.anchoredAt).slice(0, 10)}`;
  if (!state.final) return ["unknown", `${when}; not final yet`];
  return ["pass", `${when}; ${reading.proven ? "proven by the block's state root" : "by the node's word"}`];
}

function untied({ id }) {
  return `nothing known here ties ${id} to the account that anchored it`;
}

function issuerCheck(parts, state) {
  const { known, other, reading } = parts;
  if (other) return ["fail", "what was shown is another issuer's than the one asked about"];
  if (state.word === "distrusted") {
    return ["fail", `the key that anchored it was valid until ${timeText(state.leaf.keyValidUntil)}`];
  }
  if (!known) return ["unknown", reading.problem === null && state.leaf === null ? "the issuer is not known here" : UNKNOWN_ISSUER];
  if (parts.isUntied) return ["unknown", untied(parts)];
  return ["pass", "the issuer was named by the caller, or is trusted"];
}

function statusCheck(parts, state) {
  const { reading } = parts;
  if (reading.problem !== null) return ["unknown", reading.problem];
  if (isOtherAccount(parts) || state.leaf === null) return ["skipped", "there is nothing on chain to check this on"];
  if (state.word === "distrusted") return ["fail", "its anchor does not count, since its key was not valid then"];
  if (state.word === "withdrawn") {
    const day = timeText(state.leaf.withdrawnAt).slice(0, 10);
    return ["fail", `the batch was withdrawn on ${day}, reason: ${reasonOf(state.leaf.reason)}`];
  }
  if (state.word !== "active") return ["fail", dated(state.word, reading.changes?.[state.word])];
  const open = openLists(parts);
  if (open !== null) return ["unknown", open];
  return ["pass", "neither revoked nor suspended nor withdrawn"];
}

function dated(word, change) {
  return change ? `${word} on ${timeText(change.at).slice(0, 10)}, reason: ${reasonOf(change.reason)}` : word;
}

/** A status list that mirrors the chain says nothing new; any other would have to be looked at. */
function openLists({ document, id, claim }) {
  const entries = document === null ? [] : [document.credentialStatus ?? []].flat();
  const account = accountInDid(id ?? "");
  const isOwn = account !== null && equal(account, claim.proof.issuer);
  for (const entry of entries) {
    const address = entry?.statusListCredential;
    if (!isOwn || typeof address !== "string" || !isBeside(id, address)) {
      return "it names a status list elsewhere, which was not looked at";
    }
  }
  return null;
}

function isBeside(did, url) {
  const [authority, ...segments] = did.slice("did:web:".length).split(":").slice(0, -2);
  const here = [decodeURIComponent(authority), ...segments].join("/");
  return url.split("://")[1]?.startsWith(`${here}/`) ?? false;
}

/** When the credential is valid, and the token around it, if any. */
function datesOf({ document, token }) {
  if (document === null) return { from: null, until: null };
  const read = (...names) => {
    const value = names.map((name) => document[name]).find((one) => one != null);
    return value === undefined ? null : parseTime(value);
  };
  const found = { from: read("validFrom", "issuanceDate"), until: read("validUntil", "expirationDate") };
  const { from, until } = token?.dates ?? {};
  if (from != null && (found.from === null || from > found.from)) found.from = from;
  if (until != null && (found.until === null || until < found.until)) found.until = until;
  return found;
}

function validityCheck(parts, state) {
  const { claim, instant } = parts;
  if (isOtherAccount(parts) || claim.document !== "match" || (state.leaf === null && state.word !== "unknown")) {
    return ["skipped", "the credential's dates are not known here, or it has none"];
  }
  let dates;
  try {
    dates = datesOf(parts);
  } catch {
    return ["unknown", "the credential's validity dates cannot be read"];
  }
  if (dates.until !== null && instant >= dates.until) return ["fail", `expired since ${dates.until.toISOString()}`];
  if (dates.from !== null && instant < dates.from) return ["fail", `not valid before ${dates.from.toISOString()}`];
  if (dates.from === null && dates.until === null) return ["skipped", "the credential's dates are not known here, or it has none"];
  return ["pass", "within its dates"];
}

function outcomeOf(parts, state, checks) {
  const { claim, reading, known, other, instant } = parts;
  if (parts.isInvalid) return "invalid";
  const result = Object.fromEntries(checks.map((check) => [check.name, check.result]));
  if (reading.problem !== null) return "indeterminate";
  if (other || state.leaf === null) return "not_found";
  const found = [];
  if (state.word === "distrusted" || state.word === "withdrawn") found.push("withdrawn");
  if (state.word === "revoked" || state.word === "suspended") found.push(state.word);
  const isUncertain = ["signature", "status", "validity"].some((name) => result[name] === "unknown");
  if (claim.document === "uncheckable" || !known || parts.isUntied || isUncertain) found.push("indeterminate");
  if (!state.final) found.push("pending");
  if (result.validity === "fail") {
    const { until } = datesOf(parts);
    found.push(until !== null && instant >= until ? "expired" : "not_yet_valid");
  }
  return found.sort((one, two) => PRECEDENCE.indexOf(one) - PRECEDENCE.indexOf(two))[0] ?? "valid";
}

function anchorOf(proof, state) {
  return {
    batch: null,
    root: toHex(proof.root),
    index: proof.index,
    anchored_at: timeText(state.leaf.anchoredAt),
    final: state.final,
  };
}

function statusOf(parts, state) {
  const isOther = state?.leaf && isOtherAccount(parts);
  const word = isOther ? "not_anchored" : (state?.word ?? "unknown");
  const withdrawal = { at: state?.leaf?.withdrawnAt, reason: state?.leaf?.reason };
  const change = word === "withdrawn" ? withdrawal : (parts.reading.changes?.[word] ?? null);
  return {
    state: word === "distrusted" ? "withdrawn" : word,
    at: change === null ? null : timeText(change.at),
    reason: change === null ? null : reasonOf(change.reason).replaceAll(" ", "_"),
    actor: change?.actor ?? null,
    transaction: change?.transaction ?? null,
    pending: [],
  };
}

function reasonOf(code) {
  return REASONS[code] ?? REASONS[0];
}

function summaryOf(outcome, checks, reading, state) {
  const detail = (result) => checks.find((check) => check.result === result)?.detail ?? "see the checks";
  const sentences = {
    invalid: () => `Invalid: ${detail("fail")}.`,
    not_found: () => "Not found: nothing with this digest is anchored by the issuer.",
    withdrawn: () => `Withdrawn: ${detail("fail")}.`,
    revoked: () => `${capital(dated("revoked", reading.changes?.revoked))}.`,
    suspended: () => `${capital(dated("suspended", reading.changes?.suspended))}.`,
    indeterminate: () => `Cannot be decided: ${detail("unknown")}.`,
    pending: () => "Pending: anchored, and that is not final yet.",
    expired: () => `Expired: ${detail("fail")}.`,
    not_yet_valid: () => `Not valid yet: ${detail("fail")}.`,
    valid: () => `Valid: anchored on ${timeText(state.leaf.anchoredAt).slice(0, 10)}, neither revoked nor suspended.`,
  };
  const test = TEST_CHAINS.has(reading.chain) ? ` The chain, eip155:${reading.chain}, is a test chain.` : "";
  return sentences[outcome]() + test;
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
