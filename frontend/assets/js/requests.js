// htmx under a strict content security policy; refusals (409, 422, ...) are swapped in like answers.
export function startRequests(htmx) {
  Object.assign(htmx.config, {
    includeIndicatorStyles: false,
    allowEval: false,
    allowScriptTags: false,
    selfRequestsOnly: true,
    defaultSwapStyle: "outerHTML",
    historyCacheSize: 0,
    refreshOnHistoryMiss: true,
    scrollBehavior: "auto",
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "(400|403|404|409|413|422|429|503)", swap: true, error: false },
      { code: "...", swap: false, error: true },
    ],
  });
  const root = document.documentElement;
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector("meta[name=csrf-token]")?.content;
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
  });
  let under_way = 0;
  document.addEventListener("htmx:beforeRequest", () => root.classList.toggle("is-loading", ++under_way > 0));
  document.addEventListener("htmx:afterRequest", () => {
    under_way = Math.max(0, under_way - 1);
    root.classList.toggle("is-loading", under_way > 0);
  });
}
