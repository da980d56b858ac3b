// The command palette: a native dialog with a combobox. What is here is filtered at once; symbols,
// orders and accounts are asked of the server, once the typing pauses.

const ASK_MS = 120;
const SHORTEST = 2;
const RECENT = "bl_recent";
const MOST_RECENT = 5;

let act = () => {};
let dialog = null;
let input = null;
let current = null;
let timer = 0;

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

function options() {
  return [...dialog.querySelectorAll("[role=option]")];
}

function shown() {
  return options().filter((option) => !option.hidden);
}

function select(option) {
  current?.setAttribute("aria-selected", "false");
  current = option ?? null;
  current?.setAttribute("aria-selected", "true");
  current?.scrollIntoView({ block: "nearest" });
  if (current) input.setAttribute("aria-activedescendant", current.id);
  else input.removeAttribute("aria-activedescendant");
}

function query() {
  return input.value.trim().toLowerCase();
}

// Recent ones are for the empty line; found ones matched on the server already.
function valueOf(option, typed) {
  switch (option.closest("[data-group]").dataset.group) {
    case "recent": return typed ? -1 : 0;
    case "found": return typed.length >= SHORTEST ? 0 : -1;
    default: return score(option.dataset.words.toLowerCase(), typed.replaceAll(" ", ""));
  }
}

function filter() {
  const typed = query();
  let best = null;
  let bestScore = Infinity;
  for (const option of options()) {
    const value = valueOf(option, typed);
    option.hidden = value < 0;
    if (value >= 0 && value < bestScore) [best, bestScore] = [option, value];
  }
  for (const group of dialog.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("[role=option]:not([hidden])");
  }
  const list = shown();
  dialog.querySelector("[data-none]").hidden = list.length > 0;
  dialog.querySelector("[data-palette-count]").textContent = `${list.length} commands`;
  select(typed ? best : list[0]);
}

function ask() {
  clearTimeout(timer);
  if (query().length < SHORTEST) return;
  timer = setTimeout(() => {
    document.querySelector("#palette-found").dispatchEvent(new CustomEvent("palette:ask"));
  }, ASK_MS);
}

// --- what was chosen lately

function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(kept) ? kept.slice(0, MOST_RECENT) : [];
  } catch {
    return [];  // somebody else's words under our name: as if there were none
  }
}

function remember({ says, go, does }) {
  const others = recent().filter((one) => one.go !== go || one.does !== does);
  localStorage.setItem(RECENT, JSON.stringify([{ says, go, does }, ...others].slice(0, MOST_RECENT)));
}

/** Forget what was chosen, as at the end of a login. */
export function forget() {
  localStorage.removeItem(RECENT);
}

function showRecent() {
  const group = dialog.querySelector("[data-group=recent]");
  group.querySelectorAll("[role=option]").forEach((option) => option.remove());
  recent().forEach(({ says, go, does }, index) => {
    const option = document.createElement("div");
    option.className = "bl-palette__item";
    option.id = `recent-${index}`;
    option.role = "option";
    option.setAttribute("aria-selected", "false");
    option.dataset.words = says;
    if (go) option.dataset.go = go;
    else option.dataset.do = does;
    const text = document.createElement("span");
    text.textContent = says;
    option.append(text);
    group.append(option);
  });
}

// --- acting

function run(option) {
  if (!option) return;
  dialog.close();
  const { go, do: does } = option.dataset;
  if (does !== "logout") remember({ says: option.querySelector("span").textContent, go, does });
  if (go) location.assign(go);
  else act(does);
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

/** Open the palette; `typed` is what stands in it. */
export function open(typed = "") {
  if (!dialog || dialog.open) return;
  input.value = typed;
  showRecent();
  dialog.showModal();
  filter();
  ask();
  input.focus();
}

/** Wire the palette of the page, if it has one. */
export function start(perform) {
  act = perform;
  dialog = document.querySelector("#palette");
  if (!dialog) return;
  input = dialog.querySelector("input");
  input.addEventListener("input", () => { filter(); ask(); });
  input.addEventListener("keydown", onKey);
  dialog.addEventListener("htmx:after:swap", filter);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
    else run(event.target.closest("[role=option]"));
  });
}
