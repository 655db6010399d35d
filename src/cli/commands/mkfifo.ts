// fanga mkfifo NAME…

import { IpcError } from "../../api/ipc-error.ts";
import type { Command } from "../command.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { openKernel } from "../kernels.ts";
import { addressOfNew, nameIn } from "../open-object.ts";
import { kernelOption } from "../option.ts";
import { bytesOf, modeOf, modeOption } from "../values.ts";

const CAPACITY_MOST = 2 ** 30;

export const mkfifo: Command = {
  name: "mkfifo",
  summary: "make named pipes",
  notes: "The kernel is made too where it is not there.",
  options: {
    ...kernelOption,
    ...modeOption,
    capacity: { type: "string", short: "c", value: "BYTES", description: "a power of two, such as 64K; default 4096" },
  },
  parameters: [{ name: "NAME", description: "a name without /", many: true }],
  examples: [["fanga mkfifo -c 64K log", "a named pipe that holds 65536 bytes"]],

  run(context, given) {
    const options = { mode: modeOf(given), capacity: bytesOf(given, "capacity", CAPACITY_MOST) };
    const names = given.words.map((word) => nameIn(addressOfNew(given, word, ["fifo"])));
    using kernel = openKernel(context, given, { create: true });
    let code = EXIT_OK;
    for (const name of names) {
      try {
        kernel.mkfifo(name, options);
      } catch (error) {
        if (!(error instanceof IpcError)) throw error;
        const why = error.code === "EEXIST" ? `there is a fifo "${name}" already` : error.message;
        context.stderr.write(`fanga: mkfifo: ${why}\n`);
        code = EXIT_FAILURE;
      }
    }
    return code;
  },
};
