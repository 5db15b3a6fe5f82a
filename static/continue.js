// Goes on by itself: sends the form of a continue page, and follows the link of its answer.
"use strict";

const form = document.querySelector("[data-send-at-once]");
if (form) {
  form.querySelector("[data-waiting]").hidden = false;
  // Coming back by the back button must not open the org again; the button still does.
  const arrived = performance.getEntriesByType("navigation")[0];
  if (!arrived || arrived.type !== "back_forward") form.requestSubmit();
}

const link = document.querySelector("[data-go-at-once]");
// In place of this page, so that no history entry keeps a link that works once.
if (link) location.replace(link.href);
