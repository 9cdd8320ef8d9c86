// Copying a text with one press.

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard?.writeText(field.value).catch(() => {});
    const copied = button.parentElement.querySelector("[data-copied]");
    copied.hidden = false;
  });
}
