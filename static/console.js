// Copy buttons, and a live preview of metadata.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      // The clipboard needs https and permission: select the text for copying by keyboard.
      getSelection().selectAllChildren(source);
      button.textContent = "Press Ctrl-C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 3000);
  });
}

function cell(tag, text, scope) {
  const element = document.createElement(tag);
  if (scope) element.scope = scope;
  element.append(text);
  return element;
}

function row(...cells) {
  const element = document.createElement("tr");
  element.append(...cells);
  return element;
}

function code(text) {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
}

function note(text, isError) {
  const element = document.createElement("p");
  element.className = isError ? "error-text" : "help";
  element.textContent = text;
  return element;
}

function metadataRows(text) {
  let value;
  try {
    value = JSON.parse(text || "{}");
  } catch (error) {
    return note(`This is not valid JSON: ${error.message}`, true);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return note("Metadata must be a JSON object, in { }.", true);
  }
  const keys = Object.keys(value).sort();
  if (keys.length === 0) return note("No metadata.", false);
  const table = document.createElement("table");
  table.className = "plain-table metadata-table";
  const head = document.createElement("thead");
  head.append(row(cell("th", "Key", "col"), cell("th", "Value", "col")));
  const body = document.createElement("tbody");
  for (const key of keys) body.append(row(cell("th", key, "row"), cell("td", code(JSON.stringify(value[key])))));
  table.append(head, body);
  return table;
}

const metadata = document.querySelector("[data-metadata]");
if (metadata) {
  let preview = document.querySelector("[data-metadata-rows]");
  if (!preview) {
    preview = document.createElement("div");
    metadata.closest(".field").append(preview);
  }
  preview.setAttribute("aria-live", "polite");
  const show = () => preview.replaceChildren(metadataRows(metadata.value.trim()));
  metadata.addEventListener("input", show);
  if (metadata.value.trim()) show();
}
