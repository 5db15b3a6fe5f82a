// Searches as one types, and copies links.
"use strict";

const field = document.getElementById("q");
const lists = document.querySelector("[data-lists]");
const told = document.querySelector("[data-told]");
let waiting, latest = 0;

async function search() {
  const number = ++latest;
  const address = new URL(field.form.action);
  if (field.value.trim()) address.searchParams.set("q", field.value.trim());
  history.replaceState(null, "", address);
  address.searchParams.set("part", "1");
  const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "manual" });
  // Signed out in the meantime, or the desk is away: the whole page says so.
  if (!answer.ok) return location.reload();
  const text = await answer.text();
  if (number !== latest) return; // Somebody typed on while this was under way.
  lists.innerHTML = text;
  const count = lists.querySelectorAll(".openable").length;
  told.textContent = count === 1 ? "1 org found" : `${count} orgs found`;
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

// Somebody may have typed before this script was there, or come back to a field that the browser filled in again.
if (field.value !== field.defaultValue) search();

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    told.textContent = "Link copied";
  } catch {
    // No clipboard without https, or none allowed: show the link, marked, so that the keyboard can copy it.
    const shown = document.createElement("input");
    shown.readOnly = true;
    shown.className = "copied";
    shown.value = button.dataset.copy;
    shown.setAttribute("aria-label", "Link to copy");
    button.replaceWith(shown);
    shown.select();
    return;
  }
  setTimeout(() => { button.textContent = "Copy link"; }, 2500);
});
