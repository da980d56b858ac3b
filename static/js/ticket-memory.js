// What the ticket remembers in this browser: the draft of this tab, and how each instrument was traded.

const DRAFT = "ticket:draft";

const NOT_TERMS = new Set(["csrfmiddlewaretoken", "account", "cl_ord_id", "preview_id"]);

/** What a person wrote into a form, by field; an empty field is an empty text. */
export function termsOf(form) {
  const pairs = [...new FormData(form)].filter(([name]) => !NOT_TERMS.has(name));
  return Object.fromEntries(pairs.map(([name, value]) => [name, value.trim()]));
}

/** Write terms into a form; what they do not name stays. */
export function writeTerms(form, terms) {
  for (const [name, value] of Object.entries(terms)) {
    const field = form.elements[name];
    if (!field || NOT_TERMS.has(name)) continue;
    if (field.type === "checkbox") field.checked = value === "on";
    else field.value = value;
  }
}

/** Empty what was typed or ticked; what is chosen from lists stays. */
export function clearTerms(form) {
  for (const field of form.querySelectorAll("input:not([type=hidden], [type=radio])")) {
    if (field.type === "checkbox") field.checked = false;
    else field.value = "";
  }
}

function read(store, key) {
  try {
    return JSON.parse(store.getItem(key) ?? "null");
  } catch {
    return null;  // somebody else wrote there
  }
}

/** Keep the terms of a discarded order; says whether there was anything to keep. */
export function keepDraft(terms) {
  const isWorth = ["order_qty", "price", "stop_px", "trail_offset", "strategy"].some((name) => terms[name]);
  if (isWorth) sessionStorage.setItem(DRAFT, JSON.stringify(terms));
  return isWorth;
}

/** The draft of this tab, null without one. */
export function draft() {
  return read(sessionStorage, DRAFT);
}

/** The draft, which is then forgotten. */
export function takeDraft() {
  const terms = draft();
  sessionStorage.removeItem(DRAFT);
  return terms;
}

/** Note how an instrument was traded. */
export function remember({ symbol, side, ord_type, time_in_force, order_qty }) {
  localStorage.setItem(
    `ticket:${symbol}`, JSON.stringify({ side, ord_type, time_in_force, order_qty }),
  );
}

/** Side, type, time in force and quantity an instrument was last traded with. */
export function remembered(symbol) {
  return read(localStorage, `ticket:${symbol}`) ?? {};
}
