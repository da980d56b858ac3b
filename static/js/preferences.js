// Theme, density, colours of money, privacy, single letters and zone: cookies the server reads.

const CHOICES = {
  theme: ["dark", "light", "system"],
  density: ["compact", "normal", "roomy"],
  money: ["green-red", "blue-orange", "red-green"],
  privacy: ["off", "on"],
  letters: ["on", "off"],
};
const root = document.documentElement;

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `bl_${name}=${value}; Max-Age=31536000; Path=/; SameSite=Lax${secure}`;
}

/** What is chosen now. */
export function chosen(name) {
  return name === "theme" ? root.dataset.themeChoice : root.dataset[name];
}

/** Choose a value, keep it and show it. What the server writes into the page reloads it. */
export function choose(name, value) {
  if (!(name === "zone" || CHOICES[name]?.includes(value))) return;
  keep(name, value);
  if (name === "privacy" || name === "zone") return location.reload();
  if (name === "theme") {
    root.dataset.themeChoice = value;
    const isLight = matchMedia("(prefers-color-scheme: light)").matches;
    root.dataset.theme = value === "system" ? (isLight ? "light" : "dark") : value;
  } else {
    root.dataset[name] = value;
  }
  mark();
  document.body.dispatchEvent(new CustomEvent("view:changed", { detail: { name, value } }));
}

/** Choose the next value. */
export function turn(name) {
  const values = CHOICES[name];
  choose(name, values[(values.indexOf(chosen(name)) + 1) % values.length]);
}

function mark() {
  for (const button of document.querySelectorAll("[data-preferences] button")) {
    button.setAttribute("aria-pressed", String(chosen(button.name) === button.value));
    button.classList.toggle("bl-button--primary", chosen(button.name) === button.value);
  }
}

/** Let the forms of the page choose without a reload. */
export function start() {
  for (const form of document.querySelectorAll("[data-preferences]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      choose(event.submitter?.name, event.submitter?.value);
    });
    form.addEventListener("change", ({ target }) => choose(target.name, target.value));
  }
  mark();
}
