// Small conveniences. Every page works without this file.
"use strict";
(() => {
  const say = (text) => { document.getElementById("said").textContent = text; };

  // On a phone the places lie in a strip beside each other: the one that is open is moved into view.
  const here = document.querySelector(".side-nav [aria-current]");
  const strip = here && here.closest(".side-nav");
  if (strip) strip.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - strip.clientWidth / 2;

  // An account id is copied by a click on it: <button data-copy="123456789012">.
  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      say("The browser does not allow copying here.");
      return;
    }
    say(`Copied ${button.dataset.copied || button.dataset.copy}.`);
    button.classList.add("copied");
    window.setTimeout(() => button.classList.remove("copied"), 1500);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  // "/" goes to the list's own search where a page has one, else to the one on top.
  const isTyping = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const search = document.querySelector('main [aria-keyshortcuts="/"]') || document.querySelector('[aria-keyshortcuts="/"]');
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // Rows of a list are ticked one by one, by the page with the box in its head, or from one to another with
  // Shift. The bar says the exact number; that it shows at all is the style sheet's work.
  const rows = (form) => [...form.querySelectorAll(".row-check")];
  const tally = (form) => {
    const all = rows(form);
    const ticked = all.filter((box) => box.checked).length;
    for (const head of form.querySelectorAll(".page-check")) {
      head.checked = ticked === all.length;
      head.indeterminate = ticked > 0 && !head.checked;
    }
    const noun = form.dataset.noun || "account";
    form.querySelector("[data-tally]").textContent = `${ticked} ${noun}${ticked === 1 ? "" : "s"} selected`;
  };
  let lastTicked = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-selecting] .row-check");
    if (!box) return;
    const all = rows(box.form);
    const [from, to] = [all.indexOf(lastTicked), all.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const other of all.slice(from, to + 1)) other.checked = box.checked;
    lastTicked = box;
    tally(box.form);
  });
  document.addEventListener("change", (event) => {
    const head = event.target.closest("[data-selecting] .page-check");
    if (!head) return;
    for (const box of rows(head.form)) box.checked = head.checked;
    tally(head.form);
  });
  document.addEventListener("reset", (event) => {
    if (event.target.matches("[data-selecting]")) window.setTimeout(() => tally(event.target));
  });
  // All that match were selected in place of the page: go on with what is done to them.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!new URLSearchParams(window.location.search).has("select")) return;
    const next = event.target.querySelector("[data-next]");
    if (next) next.focus({preventScroll: true});
  });
  // The browser may tick boxes again when somebody comes back to the page.
  window.addEventListener("pageshow", () => document.querySelectorAll("[data-selecting]").forEach(tally));

  // A form that takes a while to answer is sent once, and says that it is under way.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-once]");
    if (!form) return;
    if (form.dataset.once) {
      event.preventDefault();
      return;
    }
    form.dataset.once = "sent";
    const button = event.submitter;
    if (!button || !button.dataset.busy) return;
    button.dataset.idle = button.textContent;
    button.textContent = button.dataset.busy;
    say(button.dataset.busy);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) form.dataset.once = "";
    for (const button of document.querySelectorAll("[data-idle]")) button.textContent = button.dataset.idle;
  });

  // Paper is light.
  const root = document.documentElement;
  window.addEventListener("beforeprint", () => {
    root.dataset.onScreen = root.dataset.bsTheme;
    root.dataset.bsTheme = "light";
  });
  window.addEventListener("afterprint", () => { root.dataset.bsTheme = root.dataset.onScreen; });

  // What was said of a change under way is no longer true when nothing is.
  document.addEventListener("htmx:afterSettle", () => {
    if (!document.querySelector("#live:not([hx-get])")) return;
    for (const said of document.querySelectorAll(".under-way")) said.remove();
  });

  // A part of a page that was answered with another page, such as the sign-in form, is not put into this one.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const asked = new URL(event.detail.pathInfo.finalRequestPath, window.location.href).pathname;
    if (new URL(event.detail.xhr.responseURL).pathname === asked) return;
    event.detail.shouldSwap = false;
    if (event.detail.requestConfig.verb === "get") window.location.reload();
    else say("You are no longer signed in. Sign in again in another tab, then go on here.");
  });
})();
