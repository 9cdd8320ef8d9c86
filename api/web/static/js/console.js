// The console's pages: saying that something takes a while, and files that are too large. Every form works
// without this.

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    if (form.classList.contains("htmx-request")) return event.preventDefault(); // it is on its way already
    form.classList.add("htmx-request");
  });
}

// A page that comes back from the browser's memory is not busy any more.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-busy]")) form.classList.remove("htmx-request");
});

for (const input of document.querySelectorAll("input[type=file][data-most]")) {
  input.addEventListener("change", () => {
    const tooLarge = [...input.files].some((file) => file.size > Number(input.dataset.most));
    input.setCustomValidity(tooLarge ? input.dataset.tooLarge || "10 MB" : "");
    if (tooLarge) input.reportValidity();
  });
}
