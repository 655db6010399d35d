// A process whose first call opens a kernel: one that is there (attach), or a new one (create). An operation is that one call,
// with the loading of koffi and of all that comes with it.

import { Kernel } from "../src/index.ts";
import { report, type SideOrder } from "./side.ts";

const order = JSON.parse(process.argv[2]) as SideOrder;
const name = order.call === "create" ? `${order.kernel}-${order.object}` : order.kernel;
const start = process.hrtime.bigint();
const kernel = Kernel.open(name, { create: order.call === "create" });
const elapsed = process.hrtime.bigint() - start;
kernel.close();
if (order.call === "create") Kernel.unlink(name);
report(elapsed, 1);
