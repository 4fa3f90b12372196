// A form is sent once; after an answer the focus goes to what needs attention.
const focusFirst = (place) => {
  const target = place?.querySelector?.("[data-focus]") ?? (place?.matches?.("[data-focus]") ? place : null);
  if (target) target.focus({ preventScroll: false });
  return Boolean(target);
};

const release = (form) => {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-busy=true]").forEach((button) => button.removeAttribute("aria-busy"));
};

function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post" || form.dataset.resend !== undefined) return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  window.setTimeout(() => {
    if (event.defaultPrevented && !form.matches("[hx-post], [data-hx-post]")) return;
    form.dataset.sent = "1";
    (event.submitter ?? form.querySelector("[type=submit]"))?.setAttribute("aria-busy", "true");
  });
}

// A fragment that says anew what is wrong with fields leaves the fields alone; they are marked, or no longer, as their slots say.
function markProblems() {
  document.querySelectorAll(".problem-slot").forEach((slot) => {
    const field = document.getElementById(slot.id.replace(/-problem$/, ""));
    if (!field?.matches("input, select, textarea")) return;
    if (slot.childElementCount) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  });
}

export function startForms() {
  focusFirst(document);
  // Following a #fragment takes the focus away again; a form without an address of its own is answered at #content after a skip link.
  const isTaken = () => document.activeElement === document.body || document.activeElement?.id === "content";
  if (location.hash) window.addEventListener("load", () => window.setTimeout(() => isTaken() && focusFirst(document)));
  document.addEventListener("submit", sendOnce, true);
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt?.closest?.("form");
    if (form) release(form);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
  document.addEventListener("htmx:afterSettle", (event) => focusFirst(event.detail.elt));
  document.addEventListener("htmx:afterSettle", markProblems);
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-autosubmit]");
    if (form) form.requestSubmit();
  });
  document.addEventListener("click", copy);
}

/** `<button data-copy="...">`: copies the text and shows that it did. */
async function copy(event) {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dispatchEvent(new CustomEvent("toast", { bubbles: true, detail: button.dataset.copied }));
}
