// fanga doctor: is this machine fit, and what to do where it is not.

import { type Check, checkHost } from "../../platforms/host-checks.ts";
import type { Command } from "../command.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { jsonOption, jsonText } from "../json.ts";

const MARKS = { ok: "ok    ", note: "note  ", unfit: "UNFIT " } as const;

export const doctor: Command = {
  name: "doctor",
  summary: "check whether this machine is fit, and say what to do where it is not",
  notes: `Checks Node, koffi, /dev/shm, shared mappings and futex between two mappings, /proc, the
pid namespace and the limits of this shell. "note" is what works, but might surprise;
"UNFIT" is what does not work: the exit code is 1 then.`,
  options: jsonOption,
  run({ stdout }, given) {
    const checks = checkHost();
    stdout.write(given.has("json") ? jsonText(checks) : checks.map(lineOf).join(""));
    return checks.some(({ verdict }) => verdict === "unfit") ? EXIT_FAILURE : EXIT_OK;
  },
};

function lineOf({ subject, verdict, finding, remedy }: Check): string {
  const what = remedy === undefined ? "" : `\n      ${" ".repeat(SUBJECT_WIDTH)}  ${remedy}`;
  return `${MARKS[verdict]}${subject.padEnd(SUBJECT_WIDTH)}  ${finding}${what}\n`;
}

const SUBJECT_WIDTH = 14;
