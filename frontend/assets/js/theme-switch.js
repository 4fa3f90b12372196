// Light, dark or as the system says; remembered in a cookie, so that the server writes it into the page.
import { rememberInCookie } from "./cookies.js";

const show = (choice) =>
  document.querySelectorAll("[data-set-theme]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.setTheme === choice)));

export function startTheme() {
  const root = document.documentElement;
  show(root.dataset.theme || "auto");
  document.addEventListener("click", (event) => {
    const choice = event.target.closest?.("[data-set-theme]")?.dataset.setTheme;
    if (!choice) return;
    rememberInCookie("theme", choice);
    root.dataset.theme = choice;
    root.dispatchEvent(new Event("jishi:theme"));
    show(choice);
  });
}
