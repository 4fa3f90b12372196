// Slots fill the form in place (without scripts they are links that do the same); narrow screens show one day at a time.
const narrow = "(max-width: 47.99rem)";

function fill(event) {
  const slot = event.target.closest?.("a[data-on][data-from]");
  const form = document.getElementById("booking-form");
  if (!slot || !form || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { on, from, to, toOn } = slot.dataset;
  for (const [name, value] of [["on", on], ["from", from], ["to", to], ["to_on", toOn]]) {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
  }
  document.querySelectorAll(".slot[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
  if (slot.matches(".slot")) slot.setAttribute("aria-current", "true");
  const query = new URLSearchParams(location.search);
  for (const [name, value] of [["on", on], ["from", from], ["to", to]]) query.set(name, value);
  history.replaceState(history.state, "", `?${query}`);
  form.dispatchEvent(new Event("input", { bubbles: true }));
  if (window.matchMedia(narrow).matches) document.getElementById("booking-panel").scrollIntoView({ block: "start" });
  form.elements.namedItem("to").focus({ preventScroll: true });
}

function foldDays(place) {
  if (!window.matchMedia(narrow).matches) return;
  const days = place.querySelectorAll?.("[data-week] > details") ?? [];
  days.forEach((day) => (day.open = day.dataset.first !== undefined));
}

function keepOpen(event) {
  const summary = event.target.closest?.("[data-week] > details > summary");
  if (summary && !window.matchMedia(narrow).matches) event.preventDefault();
}

export function startBooking() {
  foldDays(document);
  document.addEventListener("htmx:afterSwap", () => foldDays(document));
  document.addEventListener("click", keepOpen);
  document.addEventListener("click", fill);
}
