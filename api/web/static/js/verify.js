// The verify page: dropping and pasting files, the camera, and where the reader's eyes go after an answer.
// The form works without all of this.

import { checkAlone } from "./alone.js";
import { scan } from "./scanning.js";

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 2;

const form = document.getElementById("verify");
const file = document.getElementById("file");
const text = document.getElementById("text");
const drop = document.getElementById("drop");
const told = document.getElementById("told");
const result = document.getElementById("result");
const texts = JSON.parse(document.getElementById("texts").textContent);

/** Say one sentence in place of an answer. */
export function tell(sentence) {
  result.replaceChildren();
  const box = document.createElement("div");
  box.className = "verdict unsure";
  const words = document.createElement("p");
  words.textContent = sentence;
  box.append(words);
  told.replaceChildren(box);
}

/** Whether the chosen files can be sent; says so where they cannot. */
function fits(files) {
  if (files.length > MAX_FILES) tell(texts.tooMany);
  else if ([...files].some((one) => one.size > MAX_BYTES)) tell(texts.tooLarge);
  else return true;
  return false;
}

function submit() {
  told.replaceChildren();
  if (fits(file.files)) form.requestSubmit();
}

function take(files) {
  if (!fits(files)) return;
  const all = new DataTransfer();
  for (const one of files) all.items.add(one);
  file.files = all.files;
  text.value = "";
  submit();
}

file.addEventListener("change", () => file.files.length && submit());
form.addEventListener("submit", (event) => {
  told.replaceChildren();
  const isHere = alone.checked;
  if (fits(file.files) && !isHere) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // htmx does not send it
  if (isHere && fits(file.files)) here();
}, { capture: true });

const alone = document.getElementById("alone");
document.getElementById("yourself").hidden = false;
alone.addEventListener("change", () => {
  document.getElementById("alone-more").hidden = !alone.checked;
});

/** Check in this browser, and show what came out in place of the server's answer. */
async function here() {
  result.textContent = texts.checking;
  const shown = await checkAlone({
    files: [...file.files],
    text: text.value.trim(),
    issuer: document.getElementById("issuer").value.trim(),
    asOf: document.getElementById("as_of").value.trim(),
    rpc: document.getElementById("rpc").value.trim(),
    compare: document.getElementById("compare").checked,
    texts,
  });
  if (typeof shown === "string") return tell(shown);
  result.replaceChildren(shown);
  result.querySelector("h2")?.focus();
}

for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  document.addEventListener(kind, () => drop.classList.remove("over"));
}
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) return take(event.dataTransfer.files);
  const words = event.dataTransfer.getData("text/plain");
  if (words) paste(words);
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) {
    event.preventDefault();
    take(event.clipboardData.files);
  }
});

function paste(words) {
  file.value = "";
  text.value = words;
  submit();
}

// A text that was typed is meant, not the file that was checked before it.
text.addEventListener("input", () => (file.value = ""));

scan({
  button: document.getElementById("scan"),
  end: document.getElementById("scan-end"),
  frame: document.getElementById("scanner"),
  video: document.getElementById("video"),
  found: (words) => (looksRight(words) ? paste(words) : tell(texts.otherCode)),
  failed: () => tell(texts.noCamera),
});

/** Whether a code's text can be a credential, a digest or one of this server's addresses. */
function looksRight(words) {
  if (/^(0x)?[0-9a-fA-F]{64}$/.test(words) || /^\s*\{/.test(words)) return true;
  if (/^[\w-]+\.[\w-]+\.[\w-]*(~.*)?$/.test(words)) return true;
  return URL.canParse(words) && new URL(words).host === location.host;
}

function arrived() {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.onclick = () => {
      for (const details of document.querySelectorAll("#result details")) details.open = true;
      window.print();
    };
  }
}

document.body.addEventListener("htmx:afterSwap", () => {
  arrived();
  result.querySelector("h2")?.focus();
});
document.body.addEventListener("htmx:sendError", () => tell(texts.noAnswer));
arrived();
