// One polite live region for everything that changes without a page load, and toasts for those who see.
const lasts_ms = 6000;

export function announce(text) {
  const region = document.getElementById("announcements");
  if (!region || !text) return;
  region.textContent = "";
  window.setTimeout(() => (region.textContent = text), 50);
}

export function toast(text) {
  const place = document.getElementById("toasts");
  if (!place || !text) return;
  const note = document.createElement("div");
  note.className = "toast-note";
  note.textContent = text;
  place.append(note);
  window.setTimeout(() => note.remove(), lasts_ms);
  announce(text);
}

const wordsFor = (name) => document.getElementById("page-words")?.dataset[name] ?? "";

/** The server says `HX-Trigger: {"toast": "..."}` or `{"announce": "..."}`; a swapped element may carry `data-announce`. */
export function startAnnouncing() {
  document.addEventListener("toast", (event) => toast(event.detail?.value ?? event.detail));
  document.addEventListener("announce", (event) => announce(event.detail?.value ?? event.detail));
  document.addEventListener("htmx:afterSwap", (event) => {
    const swapped = event.detail.elt;
    const speaking = swapped?.matches?.("[data-announce]") ? swapped : swapped?.querySelector?.("[data-announce]");
    if (speaking) announce(speaking.dataset.announce);
  });
  document.addEventListener("htmx:sendError", () => toast(wordsFor("offline")));
  document.addEventListener("htmx:responseError", () => toast(wordsFor("failed")));
}
