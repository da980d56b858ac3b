// An order beside the page: a table's Enter (`grid:open`) or a click on an order's link opens it.
//
// The drawer is a native dialog: beside the page on a wide window, modal on a narrow one. The
// address carries `?order=<id>`, so a link opens the same view, and back closes it. What it shows is
// the part #drawer-life of /orders/<id>. Elements with data-page lead to whole pages.

import { singleKeysAct } from "./keys.js";

const WIDE = matchMedia("(min-width: 1024px)");
const ORDER = /^\/orders\/([0-7][0-9A-HJKMNP-TV-Z]{25})$/;
const PRESSED = { e: "amend", x: "cancel", q: "ask" };

let dialog = null;
let opener = null;      // what had the focus before
let shown = "";         // the id in the drawer
let wanted = "";        // the id asked for last

function addressWith(id) {
  const url = new URL(location.href);
  if (id) url.searchParams.set("order", id);
  else url.searchParams.delete("order");
  return url;
}

function remember(element) {
  if (!element || dialog.contains(element)) return;
  const row = element.closest?.("tr[data-id]");
  opener = { element, row: row?.dataset.id, cell: row ? element.closest("td, th")?.cellIndex : null };
}

// A row may have been drawn anew meanwhile: its cell is found by id.
function giveBack() {
  if (!opener) return;
  const { element, row, cell } = opener;
  opener = null;
  const again = element.isConnected
    ? element
    : document.querySelector(`tr[data-id="${CSS.escape(row ?? "")}"]`)?.cells[cell ?? 0];
  again?.focus();
}

async function fill(id) {
  wanted = id;
  try {
    await window.htmx.ajax("GET", `/orders/${id}`, {
      target: "#drawer-life",
      swap: "outerMorph",
      headers: { "HX-Target": "div#drawer-life" },  // htmx names only targets of elements
    });
  } catch {
    return false;
  }
  return wanted === id && document.querySelector("#drawer-life")?.dataset.life === id;
}

function present() {
  if (dialog.open) return;
  if (WIDE.matches) dialog.show();
  else dialog.showModal();
}

/** Show an order; `push` writes it into the address. */
async function open(id, { push = true } = {}) {
  remember(document.activeElement);
  if (!await fill(id)) return;
  shown = id;
  present();
  dialog.querySelector("#drawer-title")?.focus({ preventScroll: true });
  if (push) history.pushState({ drawer: id }, "", addressWith(id));
}

function close({ push = true } = {}) {
  if (!dialog.open) return;
  dialog.close();
  if (push && new URL(location.href).searchParams.has("order")) {
    history.pushState({}, "", addressWith(""));
  }
}

function onClosed() {
  shown = wanted = "";
  giveBack();
}

function onLink(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a[href]");
  if (!link || link.target || "page" in link.dataset || link.origin !== location.origin) return;
  const id = ORDER.exec(link.pathname)?.[1];
  if (!id || link.search) return;
  event.preventDefault();
  link.focus();
  open(id);
}

function onOpen(event) {
  const { detail } = event;
  if (!ORDER.test(`/orders/${detail.id}`)) return;
  event.preventDefault();
  if (detail.page) location.assign(`/orders/${detail.id}`);
  else open(detail.id);
}

function onKey(event) {
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    close();
    return;
  }
  const isField = event.target.matches("input, select, textarea");
  if (isField || event.ctrlKey || event.metaKey || event.altKey || !singleKeysAct()) return;
  const button = dialog.querySelector(`[data-press="${PRESSED[event.key] ?? "none"}"]`);
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  button.click();
}

function onBack() {
  const id = new URL(location.href).searchParams.get("order");
  if (id && id !== shown) open(id, { push: false });
  else if (!id) close({ push: false });
}

/** Wire the drawer of the page, where it has one. */
export function start() {
  dialog = document.querySelector("#drawer");
  if (!dialog) return;
  document.addEventListener("click", onLink);
  document.addEventListener("grid:open", onOpen);
  document.addEventListener("keydown", (event) => {
    const isFree = dialog.open && event.key === "Escape" && document.activeElement === document.body;
    if (isFree) onKey(event);
  });
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("close", onClosed);
  dialog.querySelector("[data-drawer-close]").addEventListener("click", () => close());
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  addEventListener("popstate", onBack);
  const id = new URL(location.href).searchParams.get("order");
  if (id && ORDER.test(`/orders/${id}`)) open(id, { push: false });
}
