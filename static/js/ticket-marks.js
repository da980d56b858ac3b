// What the server says of a field is said beside that field, in the server's words.

function isTyped(row) {
  return [...row.querySelectorAll("input, select")].some((field) => (
    field.type === "checkbox" ? field.checked : field.value.trim() !== ""
  ));
}

function say(row, text) {
  const line = row.querySelector("[data-says]");
  line.textContent = text;
  line.hidden = !text;
  for (const field of row.querySelectorAll("input:not([type=checkbox]), select:not(.bl-line__beside)")) {
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  if (text) row.closest("details")?.setAttribute("open", "");
}

/**
 * Move the findings of a preview to their fields. What nobody typed yet is only said beside its
 * field when the person asked (`isAsked`); limits, which have figures, stay where they are.
 */
export function markRows(form, shown, isAsked) {
  const findings = [...shown.querySelectorAll("[data-field]")].filter((one) => !one.querySelector("dl"));
  for (const row of form.querySelectorAll("[data-row]")) {
    const names = row.dataset.fields.split(" ");
    const here = findings.filter((one) => names.includes(one.dataset.field));
    const isSaid = here.length > 0 && !row.hidden && (isAsked || isTyped(row));
    say(row, isSaid ? here.map((one) => one.textContent.trim()).join(" ") : "");
    if (isSaid) for (const one of here) one.hidden = true;
  }
  if (isAsked) form.querySelector("[data-row]:not([hidden]) [aria-invalid=true]")?.focus();
}
