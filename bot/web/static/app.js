// Optional comforts; every page works without them.
"use strict";
(() => {
  const summary = document.querySelector("[data-focus]");
  if (summary) summary.focus();

  // Whoever leaves a form half written is asked; whoever sends it is not.
  let typed = null;
  document.addEventListener("input", (event) => { typed = event.target.closest("form[method=post]") || typed; });
  document.addEventListener("submit", (event) => { if (event.target === typed) typed = null; });
  window.addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });

  // Asked who they are instead of getting a part: the form is sent as it would be without this script.
  document.addEventListener("htmx:responseError", (event) => {
    const form = event.detail.elt.closest("form[method=post]");
    if (form && event.detail.xhr.status === 401) { typed = null; form.submit(); }
  });

  // Off unless chosen in Settings; never while somebody types.
  if (document.body.dataset.shortcuts !== "on") return;
  const places = { t: "/", q: "/queue", c: "/calendar", r: "/review" };
  let began = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const after = Date.now() - began < 1500;
    began = event.key === "g" ? Date.now() : 0;
    const place = after ? places[event.key] : { n: "/posts/new", "?": "/help" }[event.key];
    if (place) { event.preventDefault(); location.assign(place); }
  });
})();
