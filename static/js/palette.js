// The command palette: a native dialog with a combobox over the options the server rendered.

let act = () => {};
let dialog = null;
let input = null;
let options = [];
let current = null;

// Letters of the query in order; earlier and closer together is better. -1: no match.
function score(words, query) {
  let at = -1;
  let total = 0;
  for (const letter of query) {
    const next = words.indexOf(letter, at + 1);
    if (next < 0) return -1;
    total += next - at - 1 + (next === 0 || words[next - 1] === " " ? 0 : 2);
    at = next;
  }
  return total;
}

function shown() {
  return options.filter((option) => !option.hidden);
}

function select(option) {
  current?.removeAttribute("aria-selected");
  current = option ?? null;
  current?.setAttribute("aria-selected", "true");
  current?.scrollIntoView({ block: "nearest" });
  if (current) input.setAttribute("aria-activedescendant", current.id);
  else input.removeAttribute("aria-activedescendant");
}

function filter() {
  const query = input.value.trim().toLowerCase();
  let best = null;
  let bestScore = Infinity;
  for (const option of options) {
    const value = score(option.dataset.words.toLowerCase(), query.replaceAll(" ", ""));
    option.hidden = value < 0;
    if (value >= 0 && value < bestScore) [best, bestScore] = [option, value];
  }
  for (const group of dialog.querySelectorAll("[role=presentation]")) {
    let next = group.nextElementSibling;
    let any = false;
    for (; next && next.role === "option"; next = next.nextElementSibling) any ||= !next.hidden;
    group.hidden = !any;
  }
  dialog.querySelector("[data-none]").hidden = best !== null;
  select(query ? best : shown()[0]);
}

function run(option) {
  if (!option) return;
  dialog.close();
  if (option.dataset.go) location.assign(option.dataset.go);
  else act(option.dataset.do);
}

function onKey(event) {
  const list = shown();
  const index = list.indexOf(current);
  if (event.key === "ArrowDown") select(list[(index + 1) % list.length]);
  else if (event.key === "ArrowUp") select(list[(index - 1 + list.length) % list.length]);
  else if (event.key === "Home" && event.ctrlKey) select(list[0]);
  else if (event.key === "End" && event.ctrlKey) select(list.at(-1));
  else if (event.key === "Enter") run(current);
  else return;
  event.preventDefault();
}

/** Open the palette. */
export function open() {
  if (!dialog || dialog.open) return;
  input.value = "";
  dialog.showModal();
  filter();
  input.focus();
}

/** Wire the palette of the page, if it has one. */
export function start(perform) {
  act = perform;
  dialog = document.querySelector("#palette");
  if (!dialog) return;
  input = dialog.querySelector("input");
  options = [...dialog.querySelectorAll("[role=option]")];
  input.addEventListener("input", filter);
  input.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
    else run(event.target.closest("[role=option]"));
  });
}
