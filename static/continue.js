// Submits the form of a continue page, and opens the link of the page that follows.
"use strict";

const form = document.querySelector("[data-auto-submit]");
if (form) {
  form.querySelector("[data-waiting]").hidden = false;
  // The back button must not open the org again; the page's own button still does.
  const arrived = performance.getEntriesByType("navigation")[0];
  if (!arrived || arrived.type !== "back_forward") form.requestSubmit();
}

const link = document.querySelector("[data-auto-open]");
// Replaces this page, to keep the one-time link out of the history.
if (link) location.replace(link.href);
