// Verifies a credential without any server of the registry's: what was shown is held against its proof, the
// proof against the contract, which is read from a node that the caller chose. The rules are those of
// docs/verdicts.md; the report has the shape that the registry's API answers.
//
// Invariants: nothing unknown is called valid; a node that gives no answer, or answers against itself, makes
// the outcome `indeterminate`; the document goes nowhere.

import { Malformed, Unreadable, equal, fromHex, sha256, toHex, utf8 } from "./bytes.js";
import { CONFIRMATIONS, LOCAL_CHAINS, REGISTRY } from "./constants.js";
import { readLeaf } from "./contract.js";
import { checkSignatures, unsecured, worst } from "./data-integrity.js";
import { accountBytes, readProof, whyNotIncluded } from "./inclusion.js";
import { canonical } from "./jcs.js";
import { judge } from "./judge.js";
import { accountInDid } from "./keys.js";
import { NoSuchMethod, Node } from "./rpc.js";

export { Malformed, Unreadable } from "./bytes.js";
export { contentsOf } from "./carriers.js";
export { parseJson } from "./strict-json.js";

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
  const signature = worst([await checkToken(token, known), inside]);
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
  return { account: accountInDid(text), id: text };
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
