// How much of a long text is used, beside the field; and the print button of a label. The limits themselves are the server's.
function count(field) {
  const limit = field.maxLength;
  if (limit < 0) return;
  let shown = field.nextElementSibling;
  if (!shown?.matches?.(".counter")) {
    shown = document.createElement("span");
    shown.className = "counter";
    shown.setAttribute("aria-hidden", "true");
    field.after(shown);
  }
  shown.textContent = `${field.value.length} / ${limit}`;
  shown.classList.toggle("counter-full", field.value.length >= limit);
}

export function startRecord() {
  document.querySelectorAll("[data-count]").forEach(count);
  document.addEventListener("input", (event) => event.target.matches?.("[data-count]") && count(event.target));
  document.addEventListener("click", (event) => event.target.closest?.("[data-print]") && window.print());
}
