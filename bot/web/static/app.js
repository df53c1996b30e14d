// Optional comforts; every page works without them.
"use strict";
(() => {
  const focus = (where) => where.querySelector("[data-focus]")?.focus();
  focus(document);
  // What comes in the place of a pressed button takes its focus.
  document.addEventListener("htmx:afterSettle", (event) => focus(event.target));

  // Whoever leaves a form half written is asked; whoever sends it is not.
  let typed = null;
  document.addEventListener("input", (event) => { typed = event.target.closest("form[method=post]") || typed; });
  document.addEventListener("submit", (event) => { if (event.target === typed) typed = null; });
  window.addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });

  // A passkey answers the form that asks for one.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const words = (given) => btoa(String.fromCharCode(...new Uint8Array(given))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const keys = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));
  const answer = async (asked) => {
    const challenge = bytes(asked.challenge);
    const found = asked.user
      ? await navigator.credentials.create({ publicKey: { ...asked, challenge, user: { ...asked.user, id: bytes(asked.user.id) }, excludeCredentials: keys(asked.excludeCredentials) } })
      : await navigator.credentials.get({ publicKey: { ...asked, challenge, allowCredentials: keys(asked.allowCredentials) } });
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (found.response[part]) response[part] = words(found.response[part]);
    }
    return { id: found.id, rawId: words(found.rawId), type: found.type, response };
  };
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = !window.PublicKeyCredential;
    form.addEventListener("submit", async (event) => {
      if (form.elements.passkey.value) return;
      event.preventDefault();
      try {
        form.elements.passkey.value = JSON.stringify(await answer(JSON.parse(form.dataset.passkey)));
        form.submit();
      } catch (refused) { form.querySelector("button").focus(); }
    });
  }

  // Asked who they are instead of getting a part, or no answer to a pressed button: the form is sent as it would be
  // without this script, and what comes of it is seen. The program does nothing twice.
  for (const failed of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failed, ({ detail: { elt, xhr } }) => {
      const form = elt.closest("form[method=post]");
      if (form && (xhr.status === 401 || elt.matches("button"))) { typed = null; form.submit(); }
    });
  }

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
