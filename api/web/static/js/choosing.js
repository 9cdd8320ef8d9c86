// Ticking all lines of a list at once, and saying how many are ticked.

for (const all of document.querySelectorAll("input[data-all]")) {
  const form = all.closest("form");
  const boxes = [...form.querySelectorAll(`input[name="${all.dataset.all}"]`)];
  const told = document.getElementById("chosen");
  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    if (told) told.textContent = chosen ? `${told.dataset.some} ${chosen}` : told.dataset.none;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  form.addEventListener("change", count);
  count();
}
