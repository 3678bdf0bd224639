// Says on the page why a passkey was not used or made; the sign-in library only tells the console.
"use strict";
(() => {
  const words = (error) => {
    if (error.name === "InvalidStateError") return "This device has a passkey of yours already.";
    if (error.name === "NotAllowedError") return "No passkey was used: it was cancelled, took too long, or none fits here.";
    return "Passkeys do not work in this browser or at this address.";
  };
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const place = document.getElementById("passkey-problem");
    place.querySelector("p").textContent = words(event.detail.exception);
    place.hidden = false;
  });
})();
