// Asks for the bell anew, at most every 30 seconds, and only while the page is looked at.
const EVERY = 30_000;

export function startBell(htmx) {
  let asked = Date.now();
  const ask = () => {
    const bell = document.querySelector("[data-bell]");
    if (!bell || document.hidden || Date.now() - asked < EVERY - 500) return;
    asked = Date.now();
    htmx.trigger(bell, "refresh");
  };
  window.setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask);
}
