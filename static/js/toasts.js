// A word at the edge of the page. What must not be missed is also said where it happened.

const STAYS_MS = { success: 4000, info: 4000, warning: 10_000 };
const MOST = 3;

/** Show a toast; an error stays until it is closed. */
export function toast(text, level = "success") {
  const lane = document.querySelector("[data-toasts]");
  if (!lane) return;
  const box = document.createElement("div");
  box.className = "bl-toast";
  box.dataset.level = level;
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "bl-toast__close";
  close.dataset.act = "toast";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "\u00d7";
  box.append(words, close);
  lane.append(box);
  while (lane.children.length > MOST) lane.firstElementChild.remove();
  if (STAYS_MS[level]) setTimeout(() => box.remove(), STAYS_MS[level]);
}
