// The watchlist: choosing a row moves chart, instrument and ticket together, without a reload.
// The address says what is chosen; without this script the same links load the page.

const CHART = "chart";
const FACTS = "facts";

function rows() {
  return [...document.querySelectorAll("#watchlist [data-symbol]")];
}

function chosen() {
  return document.querySelector("#chart")?.dataset.symbol ?? "";
}

function addressOf(symbol) {
  const chart = document.querySelector("#chart")?.dataset ?? {};
  const query = new URLSearchParams({ symbol });
  if (chart.interval && chart.interval !== "1d") query.set("interval", chart.interval);
  if ("chartTable" in chart) query.set("view", "table");
  return `/desk?${query}`;
}

function mark(symbol) {
  for (const row of rows()) {
    if (row.dataset.symbol === symbol) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  for (const field of document.querySelectorAll("#watchlist input[name=shown]")) field.value = symbol;
}

// The ticket follows unless it cannot trade the symbol: then it keeps its own, which it shows.
function moveTicket(symbol) {
  const field = document.querySelector("#ticket [name=symbol]");
  if (!field || field.value === symbol) return;
  if (field.options && ![...field.options].some(({ value }) => value === symbol)) return;
  field.value = symbol;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// `source` is whose newest request counts: one choice replaces the one before it.
function reread(address, id, source) {
  return window.htmx.ajax("GET", address, {
    target: `#${id}`, source, swap: "outerHTML", headers: { "HX-Target": `section#${id}` },
  });
}

/** Show a symbol in chart, instrument and ticket. */
function choose(symbol, { push = true } = {}) {
  if (!symbol || symbol === chosen()) return;
  const address = addressOf(symbol);
  if (push) history.pushState(null, "", address);
  mark(symbol);
  moveTicket(symbol);
  reread(address, CHART, "#watchlist");
  reread(address, FACTS, "#facts");
}

function step(by) {
  const list = rows();
  const at = list.findIndex((row) => row.hasAttribute("aria-current"));
  const next = list[Math.min(list.length - 1, Math.max(0, at + by))];
  if (!next) return;
  choose(next.dataset.symbol);
  next.scrollIntoView({ block: "nearest" });
}

// A change of the list: the same form, its answer read for the panel alone.
async function submit(event) {
  const form = event.target.closest("[data-watch-form]");
  if (!form) return;
  const fields = new FormData(form, event.submitter);
  const symbol = String(fields.get("symbol")).trim().toUpperCase();
  const known = [...document.querySelectorAll("#watch-known option")].map(({ value }) => value);
  if (!known.includes(symbol)) return;  // the server says what is wrong with it
  event.preventDefault();
  const isEdit = form.closest("[data-watch-edit]") !== null;
  if (fields.get("act") !== "show") {
    const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
    if (answer.type !== "opaqueredirect" && !answer.ok) return form.submit();
    await reread(addressOf(chosen()), "watchlist", "body");
    if (isEdit) document.querySelector("[data-watch-edit]").open = true;
  }
  if (!isEdit) {
    choose(symbol);
    const box = document.querySelector("#watch-find");
    box.value = "";
    box.blur();
  }
}

function click(event) {
  const link = event.target.closest("#watchlist a.bl-watch__symbol");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  choose(link.closest("[data-symbol]").dataset.symbol);
}

document.addEventListener("click", click);
document.addEventListener("submit", submit);
document.body.addEventListener("page:act", ({ detail: { verb, object } }) => {
  if (verb === "watch") step(object === "next" ? 1 : -1);
  if (verb === "find") document.querySelector("#watch-find")?.focus();
});
addEventListener("popstate", () => {
  choose(new URLSearchParams(location.search).get("symbol") ?? rows()[0]?.dataset.symbol, { push: false });
});
