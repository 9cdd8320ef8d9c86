// Verifies a credential without any server of the registry's: what was shown is held against its proof, the
// proof against the contract, which is read from a node that the caller chose. The rules are those of
// docs/verdicts.md; the report has the shape that the registry's API answers.
//
// Invariants: nothing unknown is called valid; a node that gives no answer, or answers against itself, makes
// the outcome `indeterminate`; the document goes nowhere.

import { Malformed, Unreadable, equal, fromHex, sha256, toHex, utf8 } from "./bytes.js";
import { CONFIRMATIONS, LOCAL_CHAINS, REASONS, REGISTRY, TEST_CHAINS } from "./constants.js";
import { readLeaf } from "./contract.js";
import { checkSignatures, unsecured } from "./data-integrity.js";
import { accountBytes, readProof, whyNotIncluded } from "./inclusion.js";
import { canonical } from "./jcs.js";
import { issuerOf } from "./keys.js";
import { NoSuchMethod, Node } from "./rpc.js";
import { parseTime, timeText } from "./times.js";

export { Malformed, Unreadable } from "./bytes.js";
export { contentsOf } from "./carriers.js";
export { parseJson } from "./strict-json.js";

const PRECEDENCE = [
  "invalid", "not_found", "withdrawn", "revoked", "indeterminate", "suspended", "pending", "expired",
  "not_yet_valid", "valid",
];
const CHECKS = ["format", "integrity", "signature", "inclusion", "anchor", "issuer", "status", "validity"];
const ACCOUNT_DID = /^did:web:[A-Za-z0-9._%-]+(?::[A-Za-z0-9._%-]+)*:issuers:(0x[0-9a-f]{40})$/;
const CONTEXTS = new Set(["https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"]);
const UNKNOWN_ISSUER = "intact, but by an issuer not known here";
const UNVERIFIABLE = "the issuer gave only an opaque digest, so nobody can tell whether the document has it";

/**
 * Verify.
 *
 * @param {{credential?: object|string, proof?: object, digest?: string}} shown as `parseJson` gives it; a
 *   credential that is text is a compact token
 * @param {object} options
 * @param {string} options.rpc the node's address
 * @param {string} [options.issuer] the issuer that is expected: an account, or its DID
 * @param {string[]} [options.trusted] accounts that count as known
 * @param {Record<string, object>} [options.documents] DID documents by DID
 * @param {number} [options.asOf] a block number
 * @param {string} [options.registry] the contract, where it is not at its usual address
 * @param {Date} [options.now]
 * @returns {Promise<object>} the report
 * @throws {Malformed} what was shown does not have its form, or has no RootmarkProof
 */
export async function verify(shown, options) {
  const { document, token } = await opened(shown.credential ?? null);
  const claim = await readClaim({ ...shown, credential: document });
  const expected = expectedIssuer(options.issuer);
  const now = options.now ?? new Date();
  const findings = await findingsOf(document, token, { documents: options.documents ?? {}, now });
  const reading = { chain: null, block: null, final: null, leaves: null, changes: null, proven: false, problem: null };
  const isFailed = Object.values(findings).some((finding) => finding.result === "fail");
  const isInvalid = claim.mismatch || claim.notIncluded !== null || isFailed;
  try {
    await readChain(reading, claim, options);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    reading.problem = error.message;
  }
  return judge({ claim, document, token, expected, findings, reading, now, isInvalid, options });
}

/**
 * The digests that a credential may be anchored under, the likelier first, in hex: to look its proof up.
 *
 * @param {object|string} credential as `verify` takes it
 */
export async function digestsOf(credential) {
  const { document } = await opened(credential);
  const methods = document["@context"] === undefined ? ["jcs-sha256"] : ["rdfc-sha256", "jcs-sha256"];
  const found = [];
  for (const method of methods) {
    const digest = await digestOf(document, method).catch(() => null);
    if (digest !== null) found.push(toHex(digest));
  }
  return found;
}

// --- what was shown ---

/** The document, and the token that it came in, if any. */
async function opened(credential) {
  if (typeof credential !== "string") return { document: credential, token: null };
  const { readToken } = await import("./tokens.js");
  const token = readToken(credential);
  return { document: token.document, token };
}

/** What document and token say of themselves: a signature is as good as the worst of them. */
async function findingsOf(document, token, known) {
  if (document === null) return {};
  const inside = await checkSignatures(document, known);
  if (token === null) return { signature: inside };
  const { checkToken } = await import("./tokens.js");
  const outside = await checkToken(token, known);
  const isWorse = inside.result === "fail" || (inside.result === "unknown" && outside.result === "pass");
  const signature = isWorse ? inside : outside;
  return token.problem === null ? { signature } : { signature, format: { result: "fail", detail: token.problem } };
}

async function readClaim({ credential = null, proof = null, digest = null }) {
  if (credential !== null && (typeof credential !== "object" || Array.isArray(credential))) {
    throw new Malformed("a credential is a JSON object");
  }
  const given = proof ?? embedded(credential);
  if (given === null) throw new Malformed("verifying this needs its RootmarkProof beside it");
  const read = readProof(given);
  const named = digest === null ? null : fromHex(digest, 32, "the digest");
  let document = "not shown";
  let problem = null;
  let computed = null;
  if (credential !== null) {
    try {
      computed = await digestOf(credential, read.method);
      document = computed === null ? "uncheckable" : equal(computed, read.digest) ? "match" : "mismatch";
    } catch (error) {
      if (error instanceof Malformed) throw error;
      document = "uncheckable";
      problem = error.message;
    }
  }
  return {
    digest: computed ?? named ?? read.digest,
    proof: read,
    document,
    problem,
    mismatch: document === "mismatch" || (named !== null && !equal(named, read.digest)),
    notIncluded: await whyNotIncluded(read),
  };
}

function embedded(credential) {
  const found = [credential?.proof ?? []].flat().filter((one) => one?.type === "RootmarkProof/v1");
  if (found.length > 1) throw new Malformed("the credential carries several RootmarkProofs");
  return found[0] ?? null;
}

/** The digest by a method; null for `opaque`, which nobody can compute. */
async function digestOf(credential, method) {
  const bare = unsecured(credential);
  if (method === "jcs-sha256") return sha256(utf8(canonical(bare)));
  if (method === "opaque") return null;
  const { canonicalQuads } = await import("./rdf.js");
  return sha256(utf8(await canonicalQuads(bare)));
}

function expectedIssuer(text) {
  if (text === undefined || text === null || text === "") return null;
  if (text.startsWith("0x")) return { account: accountBytes(text, "the issuer"), id: null };
  const found = ACCOUNT_DID.exec(text);
  return { account: found === null ? null : fromHex(found[1], 20), id: text };
}

// --- the chain ---

async function readChain(reading, claim, options) {
  const node = new Node(options.rpc);
  const registry = (options.registry ?? REGISTRY).toLowerCase();
  reading.chain = await node.chainId();
  const newest = await required(node, "latest");
  if (options.asOf !== undefined && options.asOf > newest.number) {
    throw new Malformed("the block lies after the newest one");
  }
  reading.block = options.asOf === undefined ? newest : await required(node, options.asOf);
  const finalNumber = Math.min(await lastFinal(node, reading.chain, newest), reading.block.number);
  const final = finalNumber === reading.block.number ? reading.block : await required(node, finalNumber);
  if (claim.mismatch || claim.notIncluded !== null) return; // nothing on chain can mend that
  const latest = await readLeaf(node, registry, claim.proof, reading.block);
  const settled = final === reading.block ? latest : await readLeaf(node, registry, claim.proof, final);
  await requireUnmoved(node, [reading.block, final]);
  reading.final = final;
  reading.leaves = { latest: latest.leaf, final: settled.leaf };
  reading.proven = latest.proven && settled.proven;
  const isChanged = latest.leaf?.revoked || latest.leaf?.suspended;
  if (isChanged) reading.changes = await toldChanges(node, registry, claim, reading.block);
}

/** What events tell of it; null where the node has none to give: they decide nothing. */
async function toldChanges(node, registry, claim, block) {
  const { changesOf } = await import("./history.js");
  try {
    return await changesOf(node, registry, claim.proof, block);
  } catch (error) {
    if (error instanceof Unreadable || error instanceof NoSuchMethod) return null;
    throw error;
  }
}

async function required(node, tag) {
  const block = await node.block(tag);
  if (block === null || (typeof tag === "number" && block.number !== tag)) {
    throw new Unreadable(`the node does not have the block ${tag}`);
  }
  return block;
}

async function lastFinal(node, chain, newest) {
  if (!LOCAL_CHAINS.has(chain)) {
    const tagged = await node.block("finalized").catch(() => null);
    if (tagged !== null) return tagged.number;
  }
  const depth = LOCAL_CHAINS.has(chain) ? 1 : CONFIRMATIONS;
  return Math.max(newest.number - depth + 1, 0);
}

/** The node was asked by number; what it answered is about these blocks only if they are still there. */
async function requireUnmoved(node, blocks) {
  for (const block of new Set(blocks)) {
    const again = await required(node, block.number);
    if (!equal(again.hash, block.hash)) throw new Unreadable("the chain moved while it was read; ask again");
  }
}

// --- the verdict ---

function judge({ claim, document, token, expected, findings, reading, now, isInvalid, options }) {
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
  return !isNamedByDid && findings.signature?.result !== "pass";
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
  const account = ACCOUNT_DID.exec(id ?? "");
  const isOwn = account !== null && equal(fromHex(account[1], 20), claim.proof.issuer);
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
