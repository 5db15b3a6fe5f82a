// Searches while the user types, and copies links.
"use strict";

const field = document.getElementById("q");
const lists = document.querySelector("[data-lists]");
const status = document.querySelector("[data-status]");
let waiting, latest = 0;

async function search() {
  const number = ++latest;
  const address = new URL(field.form.action);
  if (field.value.trim()) address.searchParams.set("q", field.value.trim());
  history.replaceState(null, "", address);
  address.searchParams.set("part", "1");
  const response = await fetch(address, { headers: { Accept: "text/html" }, redirect: "manual" });
  // The user is logged out, or the desk is unavailable: the full page shows which.
  if (!response.ok) return location.reload();
  const text = await response.text();
  if (number !== latest) return; // A later search has started.
  lists.innerHTML = text;
  const count = lists.querySelectorAll(".org-row").length;
  status.textContent = count === 1 ? "1 org found" : `${count} orgs found`;
}

field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(search, 150);
});
field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  search();
});

// The user may have typed before this script ran, or the browser may have restored the field.
if (field.value !== field.defaultValue) search();

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    status.textContent = "Link copied";
  } catch {
    // The clipboard needs https and permission: show the selected link for copying by keyboard.
    const input = document.createElement("input");
    input.readOnly = true;
    input.className = "link-to-copy";
    input.value = button.dataset.copy;
    input.setAttribute("aria-label", "Link to copy");
    button.replaceWith(input);
    input.select();
    return;
  }
  setTimeout(() => { button.textContent = "Copy link"; }, 2500);
});
