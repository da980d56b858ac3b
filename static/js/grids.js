// The entry of pages whose tables are alive. Entries alone are named in templates: modules find
// each other by relative addresses, so that there is one instance of each.

import { enhanceAll } from "./grid.js";

enhanceAll();
