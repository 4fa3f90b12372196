// Menus are <details>: one open at a time, closed by Escape (focus goes back) or a click elsewhere. Dialogs are <dialog>.
const closeAll = (except) =>
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });

export function startMenus() {
  document.addEventListener("click", (event) => {
    closeAll(event.target.closest?.("details.menu"));
    const opener = event.target.closest?.("[data-dialog]");
    if (opener) {
      event.preventDefault();
      document.getElementById(opener.dataset.dialog)?.showModal();
    }
    if (event.target.closest?.("[data-close]")) event.target.closest("dialog")?.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = event.target.closest?.("details.menu[open]");
    closeAll();
    open?.querySelector("summary")?.focus();
  });
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest?.("details.menu[open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
}
