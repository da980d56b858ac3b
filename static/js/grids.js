// The entry of pages whose tables are alive. Entries alone are named in templates: modules find
// each other by relative addresses, so that there is one instance of each.

import { Grid } from "./grid.js";
import * as orders from "./orders.js";

for (const section of document.querySelectorAll("[data-grid]:not([data-blotter])")) {
  if (section.querySelector("template")) new Grid(section);
}
orders.start();
