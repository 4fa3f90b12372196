// The inbox: a request opens beside the list without a page load; how many are chosen is counted; what can be undone goes when it cannot.
const boxes = () => [...document.querySelectorAll("[data-inbox] input[name=chosen]:not(:disabled)")];

function step(event) {
  const link = event.target.closest?.("a[data-step]");
  const row = link && document.querySelector(`[data-inbox] a[data-request="${CSS.escape(link.dataset.step)}"]`);
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  row.click();
  row.scrollIntoView({ block: "nearest" });
}

function opened(event) {
  const detail = event.detail.elt;
  if (detail.id !== "inbox-detail") return;
  document.querySelector("[data-inbox]")?.classList.add("inbox-chosen");
  for (const link of document.querySelectorAll("[data-inbox] a[data-request]")) {
    if (link.dataset.request === detail.dataset.opened) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function count() {
  const place = document.querySelector("[data-chosen-count]");
  if (place) place.textContent = String(boxes().filter((box) => box.checked).length);
}

function chooseAll(event) {
  if (!event.target.closest?.("[data-choose-all]")) return;
  const all = boxes();
  const wanted = all.some((box) => !box.checked);
  for (const box of all) box.checked = wanted;
  count();
}

export function startInbox() {
  for (const note of document.querySelectorAll("[data-undo]")) window.setTimeout(() => note.remove(), Number(note.dataset.undo) * 1000);
  if (!document.querySelector("[data-inbox]")) return;
  count();
  window.addEventListener("pageshow", count);
  document.addEventListener("click", step);
  document.addEventListener("click", chooseAll);
  document.addEventListener("change", count);
  document.addEventListener("htmx:afterSwap", opened);
}
