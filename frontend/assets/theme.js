// Runs before the first paint: marks that scripts work and picks light or dark, so that nothing flashes.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = root.dataset.theme || "auto";
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  };
  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  root.addEventListener("jishi:theme", apply);
})();
