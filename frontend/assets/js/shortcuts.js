// "/" search, "?" help, the keys that a page gives its own links and buttons (data-key), "g" then a letter for the places in the navigation. Off when the person switched them off (WCAG 2.1.4).
const sequence_ms = 1200;
const isTyping = (element) => element.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true], dialog[open]");

export function startShortcuts() {
  if (document.body.dataset.shortcuts === "off") return;
  let go_until = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    const now = performance.now();
    if (now < go_until) {
      go_until = 0;
      const link = document.querySelector(`a[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
      }
      return;
    }
    if (event.key === "g") go_until = now + sequence_ms;
    if (event.key === "/") {
      const search = [...document.querySelectorAll("[data-search]")].find((field) => field.offsetParent !== null);
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
    press(document.querySelector(`[data-key="${CSS.escape(event.key)}"]`), event);
    if (event.key === "?") document.getElementById("shortcuts")?.showModal();
  });
}

/** What a key unfolds is for typing: it stays open when it was, its first field has the focus, and the key itself is not typed into it. */
function press(target, event) {
  if (!target) return;
  if (target.tagName !== "SUMMARY") {
    target.click();
    return;
  }
  event.preventDefault();
  const folded = target.parentElement;
  folded.open = true;
  (folded.querySelector("input:not([type=hidden]), select, textarea") ?? target).focus();
}
