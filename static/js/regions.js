// Panels that are read again from the server when something of theirs happened.
//
//   <section data-panel="orders" data-refresh="order execution">
//
// One request serves all panels of the page. While the pointer or the focus is inside a panel it
// stays as it is and is read again afterwards: nothing moves under the cursor.

import { on } from "./live.js";

const PAUSE_MS = 250;
const due = new Set();
let timer = 0;

function panels() {
  return [...document.querySelectorAll("[data-refresh]")];
}

function isInUse(panel) {
  return panel.matches(":hover") || panel.contains(document.activeElement);
}

async function refresh() {
  timer = 0;
  const ready = panels().filter((panel) => due.has(panel.dataset.panel) && !isInUse(panel));
  if (ready.length === 0) return;
  // A page that came as the answer to a form has no address of its own to read again.
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const panel of ready) {
    due.delete(panel.dataset.panel);
    const fresh = page.querySelector(`[data-panel="${panel.dataset.panel}"]`);
    if (fresh && !isInUse(panel)) panel.replaceWith(document.adoptNode(fresh));
  }
}

function ask() {
  if (due.size && !timer) timer = setTimeout(refresh, PAUSE_MS);
}

/** Follow the topics of the page's panels. */
export function start() {
  const topics = new Set(panels().flatMap((panel) => panel.dataset.refresh.split(" ")));
  for (const topic of topics) {
    on(topic, () => {
      for (const panel of panels()) {
        if (panel.dataset.refresh.split(" ").includes(topic)) due.add(panel.dataset.panel);
      }
      ask();
    });
  }
  on("quote", ({ k, history_at: at }) => {
    for (const element of document.querySelectorAll(`[data-history="${CSS.escape(k)}"]`)) {
      const day = (at ?? "").slice(0, 10);
      if (day && element.textContent !== day) element.textContent = day;
    }
  });
  document.addEventListener("pointerout", ask);
  document.addEventListener("focusout", ask);
}
