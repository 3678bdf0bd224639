// Small conveniences. Every page works without this file.
"use strict";
(() => {
  const say = (text) => { document.getElementById("said").textContent = text; };

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

  // A part of a page that was answered with another page, such as the sign-in form, is not put into this one.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const asked = new URL(event.detail.pathInfo.finalRequestPath, window.location.href).pathname;
    if (new URL(event.detail.xhr.responseURL).pathname === asked) return;
    event.detail.shouldSwap = false;
    if (event.detail.requestConfig.verb === "get") window.location.reload();
    else say("You are no longer signed in. Sign in again in another tab, then go on here.");
  });
})();
