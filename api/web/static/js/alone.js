// Checks a credential in this browser alone, with the verifier that anybody may host, and shows whether this
// server comes to the same. The file goes nowhere; the node is asked about the batch, this server about the
// digest, and only when the reader lets it.

import { Malformed, contentsOf, digestsOf, parseJson, verify } from "../verifier/verify.js";

const DIGEST = /^(0x)?[0-9a-fA-F]{64}$/;

/**
 * @returns {Promise<Node|string>} what to show, or a sentence why there is nothing
 */
export async function checkAlone({ files, text, issuer, asOf, rpc, compare, texts }) {
  if (!URL.canParse(rpc, location.href)) return texts.noNode;
  try {
    const shown = await understand(files, text);
    if (compare && !shown.proof && !embeds(shown.credential)) shown.proof = await proofFromHere(shown);
    if (!shown.proof && !embeds(shown.credential)) return texts.needsProof;
    const about = compare ? await issuerFromHere(shown, issuer) : { trusted: [], documents: {} };
    const options = { rpc: new URL(rpc, location.href).href, ...about };
    if (issuer) options.issuer = issuer;
    if (/^\d+$/.test(asOf)) options.asOf = Number(asOf);
    else if (asOf) return `${texts.notHere} ${asOf}`;
    const mine = await verify(shown, options);
    const theirs = compare ? await verdictFromHere(mine, shown, issuer, asOf) : null;
    return page(mine, theirs, about.trusted.length > 0, texts);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return `${texts.notHere} ${error.message}`;
  }
}

async function understand(files, text) {
  const shown = {};
  for (const file of files) Object.assign(shown, await contentsOf(new Uint8Array(await file.arrayBuffer())));
  if (text === "") return shown;
  if (DIGEST.test(text)) shown.digest = text.startsWith("0x") ? text : `0x${text}`;
  else Object.assign(shown, await contentsOf(new TextEncoder().encode(text)));
  return shown;
}

function embeds(credential) {
  return [credential?.proof ?? []].flat().some((proof) => proof?.type === "RootmarkProof/v1");
}

// --- what this server is asked ---

async function ask(path, body) {
  const options = { credentials: "omit", headers: {} };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  return response.ok ? parseJson(await response.text()) : null;
}

async function proofFromHere({ digest, credential }) {
  const digests = digest ? [digest] : await digestsOf(credential);
  for (const one of digests) {
    const proof = await ask(`/v1/credentials/${one.toLowerCase()}/proof`);
    if (proof !== null) return proof;
  }
  return undefined;
}

/** Whether this server hosts the issuer, and its DID document: names, not integrity, rest on this word. */
async function issuerFromHere(shown, issuer) {
  const account = shown.proof?.issuer?.toLowerCase();
  if (issuer || !account) return { trusted: [], documents: {} };
  const hosted = await ask(`/v1/issuers/${account}`);
  if (hosted === null) return { trusted: [], documents: {} };
  const document = await ask(`/issuers/${account}/did.json`);
  return { trusted: [account], documents: document === null ? {} : { [document.id]: document } };
}

async function verdictFromHere(mine, shown, issuer, asOf) {
  const body = { digest: mine.digest };
  if (shown.proof) body.proof = shown.proof;
  if (issuer.startsWith("0x")) body.issuer = issuer;
  if (asOf) body.as_of = Number(asOf);
  return ask("/v1/verify", body);
}

// --- how it is shown ---

function page(mine, theirs, isHosted, texts) {
  const whole = document.createElement("div");
  whole.append(title(texts.mine), verdict(mine, texts));
  whole.append(line(mine.as_of.proven ? texts.proven : texts.called));
  if (isHosted) whole.append(line(texts.hosted));
  if (theirs !== null) {
    const compared = comparison(mine, theirs);
    whole.append(title(texts.theirs), verdict(theirs, texts));
    const said = line(texts[compared]);
    said.dataset.compared = compared;
    said.className = compared === "differ" ? "wrong" : "";
    whole.append(said);
  }
  whole.append(checks(mine, texts));
  return whole;
}

/** Which sentence holds: the server saw the digest alone, so that it may lack what only the document tells. */
function comparison(mine, theirs) {
  if (theirs.outcome === mine.outcome) return "agree";
  const onChain = ({ checks, status }) => {
    const results = ["anchor", "status"].map((name) => checks.find((check) => check.name === name)?.result);
    return [...results, status.state].join();
  };
  return onChain(mine) === onChain(theirs) ? "sawLess" : "differ";
}

function title(words) {
  const found = document.createElement("h3");
  found.textContent = words;
  return found;
}

function line(words) {
  const found = document.createElement("p");
  found.textContent = words;
  return found;
}

function icon(name, texts) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${texts.icons}#${name}`);
  svg.append(use);
  return svg;
}

function verdict(report, texts) {
  const { tones, icons, other, explained } = texts.verdicts;
  const box = document.createElement("div");
  box.className = `verdict ${tones[report.outcome]}`;
  box.dataset.outcome = report.outcome;
  const heading = document.createElement("h2");
  heading.tabIndex = -1;
  const words = document.createElement("span");
  const wanted = { invalid: "fail", indeterminate: "unknown" }[report.outcome];
  const cause = report.checks.find((check) => check.result === wanted);
  const parts = [sentence(report, texts.verdicts)];
  if (cause) parts.push(explained[`${cause.name}.${cause.result}`]);
  if (report.as_of.test_chain) parts.push(other.testChain);
  words.textContent = parts.join(" ");
  heading.append(icon(icons[report.outcome], texts), words);
  box.append(heading);
  return box;
}

/** With date and reason, where the chain tells them of that outcome. */
function sentence({ outcome, status }, { sentences, dated, reasons }) {
  if (status.at === null || status.state !== outcome) return sentences[outcome];
  const day = { dateStyle: "long", timeZone: "UTC" };
  const words = {
    "%(date)s": new Date(status.at).toLocaleDateString(document.documentElement.lang, day),
    "%(reason)s": reasons[status.reason],
  };
  return dated[outcome].replaceAll(/%\(\w+\)s/g, (name) => words[name]);
}

function checks(report, texts) {
  const section = document.createElement("section");
  section.className = "card";
  const list = document.createElement("ul");
  list.className = "checks";
  for (const check of report.checks) {
    const item = document.createElement("li");
    item.className = check.result;
    item.dataset.mine = check.name;
    item.dataset.result = check.result;
    const words = document.createElement("span");
    const name = document.createElement("strong");
    name.textContent = texts.verdicts.checks[check.name];
    const rest = `: ${texts.verdicts.results[check.result]}. ${texts.verdicts.explained[`${check.name}.${check.result}`]}`;
    words.append(name, rest);
    const detail = document.createElement("span");
    detail.className = "small soft";
    detail.lang = "en";
    detail.textContent = check.detail;
    item.append(icon(texts.verdicts.resultIcons[check.result], texts), words, detail);
    list.append(item);
  }
  section.append(title(texts.whatWasChecked), list);
  return section;
}
