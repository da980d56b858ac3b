// What the ticket remembers in this browser: the draft of this tab, and how each instrument was traded.

const DRAFT = "ticket:draft";

/** The fields a person writes. */
export const DRAFTED = [
  "side", "symbol", "ord_type", "time_in_force", "order_qty", "price", "strategy",
];

function read(store, key) {
  try {
    return JSON.parse(store.getItem(key) ?? "null");
  } catch {
    return null;  // somebody else wrote there
  }
}

/** Keep the terms of a discarded order; says whether there was anything to keep. */
export function keepDraft(terms) {
  const isWorth = Boolean(terms.order_qty || terms.price || terms.strategy);
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
