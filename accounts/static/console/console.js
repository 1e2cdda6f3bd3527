// The page that shows a key once: copying it, and forgetting the form behind it so that a reload issues no second key.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const shownOnce = document.querySelector("[data-replace-address]");
  if (shownOnce) {
    window.history.replaceState(null, "", shownOnce.dataset.replaceAddress);
  }
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.addEventListener("click", () => copy(document.getElementById(button.dataset.copy)));
  });
});

async function copy(field) {
  const status = document.querySelector("[data-copied]");
  field.focus();
  field.select();
  try {
    // Only where the page is served over https or from this machine.
    await navigator.clipboard.writeText(field.value);
    status.textContent = status.dataset.copied;
  } catch {
    status.textContent = document.execCommand("copy") ? status.dataset.copied : status.dataset.select;
  }
}
