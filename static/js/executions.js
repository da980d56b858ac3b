// The executions page: its grid, whose rows lead to the order of the execution.

import { Grid } from "./grid.js";

const section = document.querySelector("[data-executions]");

if (section) {
  // Every row painted says where its link leads: the id of a row is that of the execution.
  section.addEventListener("grid:painted", () => {
    for (const order of section.querySelectorAll("tr[data-id] [data-c=order_id]")) {
      const href = `/orders/${order.textContent}`;
      const link = order.closest("a");
      if (link.getAttribute("href") !== href) link.setAttribute("href", href);
    }
  });
  const grid = new Grid(section);
  section.addEventListener("grid:open", ({ detail }) => {
    detail.id = grid.entry(detail.id).row.order_id;
  });
}
