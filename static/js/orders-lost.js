// After a lost answer: ask by the request's id until the server says what it knows. Nothing is sent
// again and nothing is assumed meanwhile.

import { Lost, Refusal, ask } from "./ask.js";

const PAUSE_MS = 2000;
const TIMES = 15;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * What became of request `named` of an order: {is, entry}, `is` being received, not_received or
 * silent (nobody answered all the while). `said` is told what is going on.
 */
export async function settled(id, named, said) {
  for (let times = 1; times <= TIMES; times += 1) {
    said(`No answer came. Asking what became of ${named}${times > 1 ? ` (${times})` : ""} \u2026`);
    await pause(PAUSE_MS);
    try {
      const { request, ...entry } = await ask(`/portal/rows/orders/${id}?request=${named}`);
      return { is: request, entry };
    } catch (error) {
      if (error instanceof Refusal) return { is: "silent" };
      if (!(error instanceof Lost)) throw error;
    }
  }
  return { is: "silent" };
}
