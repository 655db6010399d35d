// A program that tests of the command look at: a task of the kernel that its argument names, with a child that has ended and that
// it does not wait for.

import { Kernel } from "../src/index.ts";

const kernel = Kernel.open(process.argv[2] as string, { create: true });
kernel.spawn(new URL("./spawned.js", import.meta.url), { argv: ["exit:3"] });
setInterval(() => {}, 1000);
