// What was typed survives a session that ended: forms marked data-keep are put back after logging in again.
const store = "jishi.kept";
const never = new Set(["password", "file", "hidden", "submit", "button"]);

const fields = (form) => [...form.elements].filter((field) => field.name && !never.has(field.type));
const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

function keep(event) {
  const form = event.target.closest?.("form[data-keep]");
  if (!form) return;
  const values = fields(form).map((field) => [field.name, field.value, isChoice(field) ? field.checked : null]);
  sessionStorage.setItem(store, JSON.stringify({ path: location.pathname, name: form.dataset.keep, values, pending: false }));
}

// What a fragment's answer has taken is kept by the server; one that leads to the log-in has taken nothing.
function arrived(event) {
  const { successful, xhr } = event.detail;
  if (successful && !xhr.getResponseHeader("HX-Redirect")) sessionStorage.removeItem(store);
}

function restore(kept) {
  const form = document.querySelector(`form[data-keep="${CSS.escape(kept.name)}"]`);
  if (!form) return;
  for (const [name, value, checked] of kept.values) {
    const field = fields(form).find((one) => one.name === name && (checked === null || one.value === value));
    if (field && checked === null) field.value = value;
    else if (field) field.checked = checked;
  }
}

export function startKeeping() {
  document.addEventListener("submit", keep, true);
  document.addEventListener("htmx:beforeRequest", keep);
  document.addEventListener("htmx:afterRequest", arrived);
  const kept = JSON.parse(sessionStorage.getItem(store) ?? "null");
  if (!kept) return;
  if (document.body.dataset.entrance !== undefined) {
    sessionStorage.setItem(store, JSON.stringify({ ...kept, pending: true }));
    return;
  }
  if (kept.pending && kept.path === location.pathname) restore(kept);
  if (!kept.pending || kept.path === location.pathname) sessionStorage.removeItem(store);
}
