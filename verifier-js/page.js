// The page of this package: files, a node and an issuer in, one sentence and the checks out.

import { Malformed, contentsOf, verify } from "./verify.js";

const form = document.getElementById("form");
const result = document.getElementById("result");
const value = (name) => document.getElementById(name).value.trim();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  result.textContent = "Checking…";
  try {
    const shown = {};
    for (const file of document.getElementById("files").files) {
      Object.assign(shown, await contentsOf(new Uint8Array(await file.arrayBuffer())));
    }
    show(await verify(shown, { rpc: value("rpc"), issuer: value("issuer") }));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    result.textContent = `This cannot be checked: ${error.message}.`;
  }
});

function show(report) {
  const sentence = document.createElement("p");
  sentence.className = "sentence";
  sentence.dataset.outcome = report.outcome;
  sentence.textContent = report.summary;
  const list = document.createElement("ul");
  for (const check of report.checks) {
    const item = document.createElement("li");
    item.textContent = `${check.name}: ${check.result}; ${check.detail}`;
    list.append(item);
  }
  result.replaceChildren(sentence, list);
}
