// fanga kill [-s SIGNAL] PID…: kill(1) for the tasks of a kernel.

import { defaultAction, SIGNAL_MAX, signals } from "../../abi/signals.ts";
import { failureOf, IpcError } from "../../api/ipc-error.ts";
import type { Kernel } from "../../api/kernel.ts";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { EXIT_FAILURE, EXIT_OK, EXIT_SIGNALLED } from "../failure.ts";
import { columns } from "../help.ts";
import { openKernel } from "../kernels.ts";
import { hint } from "../nearest.ts";
import { kernelOption } from "../option.ts";
import { signalOfWord, signalWords, wordOfSignal } from "../signal-words.ts";

const PID_MOST = 0x7fffffff;

export const kill: Command = {
  name: "kill",
  summary: "send a signal to tasks of a kernel",
  notes: `
Pids are the kernel's, as fanga ps shows them, not the operating system's. -1 is all other
tasks, and below that the group of that number. SIGNAL is a name, with or without SIG, or a
number: TERM where none is given; 0 only looks whether the task is there. It may also be
typed as in kill -9 or kill -KILL.`,
  options: {
    ...kernelOption,
    signal: { type: "string", short: "s", value: "SIGNAL", description: "the signal", completes: "signals" },
    queue: { type: "string", short: "q", value: "N", description: "send the number N with it, as sigqueue(3) does" },
    list: { type: "boolean", short: "l", description: "list the signals' names; or translate those given as words" },
    table: { type: "boolean", short: "L", description: "list numbers, names, and what they do to a task by default" },
  },
  parameters: [
    {
      name: "PID",
      description: "a task's pid; behind --, or a signal, one below 0",
      optional: true,
      many: true,
      completes: "tasks",
    },
  ],
  examples: [
    ["fanga kill -s USR1 3", "SIGUSR1 for task 3"],
    ["fanga kill -9 -- -1", "end every task of the kernel"],
    ["fanga kill -l", "which signals there are"],
  ],

  respell,

  run(context, given) {
    if (given.has("list") || given.has("table")) {
      context.stdout.write(given.has("table") ? tableText() : listText(given));
      return EXIT_OK;
    }
    const number = signalIn(given, given.text("signal") ?? "TERM");
    const value = given.number("queue", { least: -(2 ** 31), most: 2 ** 32 - 1 });
    const pids = pidsOf(given);
    using kernel = openKernel(context, given);
    let code = EXIT_OK;
    for (const pid of pids) {
      try {
        send(kernel, pid, number, value);
      } catch (error) {
        if (!(error instanceof IpcError)) throw error;
        context.stderr.write(`fanga: kill: ${complaintOf(error, pid)}\n`);
        code = EXIT_FAILURE;
      }
    }
    return code;
  },
};

/** The options with a value of their own, behind which the next word is no pid. */
const VALUED = ["-s", "--signal", "-q", "--queue", "-k", "--kernel"];

/** kill -9, kill -KILL; and with the signal named, words such as -1 are pids. */
function respell(words: readonly string[]): readonly string[] {
  const options: string[] = [];
  const pids: string[] = [];
  let isNamed = words.some((word) => /^(?:-s|--signal)/.test(word));
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === "--") return [...options, "--", ...pids, ...words.slice(i + 1)];
    if (VALUED.includes(word)) options.push(word, ...words.slice(++i, i + 1));
    else if (/^-\d+$/.test(word) && isNamed) pids.push(word);
    else if (signalOfWord(word.slice(1)) !== undefined ? /^-[A-Z\d]/i.test(word) : /^-[A-Z]{3}/.test(word)) {
      options.push(`--signal=${word.slice(1)}`);
      isNamed = true;
    } else (word.startsWith("-") ? options : pids).push(word);
  }
  return [...options, "--", ...pids];
}

function signalIn(given: Arguments, word: string): number {
  const number = signalOfWord(word);
  if (number !== undefined) return number;
  const remedy = hint(word.toUpperCase().replace(/^SIG/, ""), signalWords) || ": fanga kill -l lists them";
  throw given.wrong(`there is no signal "${word}"${remedy}`);
}

function pidsOf(given: Arguments): number[] {
  if (given.words.length === 0) throw given.wrong("PID is missing: type the pid of a task, as fanga ps shows it");
  return given.words.map((word) => {
    const pid = /^-?\d+$/.test(word) ? Number(word) : Number.NaN;
    if (pid !== 0 && Math.abs(pid) <= PID_MOST) return pid;
    if (pid === 0) throw given.wrong("0 would be fanga's own group, in which it is alone: type a pid");
    throw given.wrong(`"${word}" is no pid: type a number, as fanga ps shows it`);
  });
}

function send(kernel: Kernel, pid: number, number: number, value: number | undefined): void {
  const looked = number === 0 ? kernel.sys.kill(pid, 0) : 0;
  if (looked < 0) throw failureOf(looked, "kill", `task ${pid}`);
  if (number !== 0) kernel.kill(pid, number, value);
}

function complaintOf({ code, message }: IpcError, pid: number): string {
  if (code === "ESRCH")
    return pid < -1 ? `there is no group ${-pid}` : pid === -1 ? "there is no other task" : `there is no task ${pid}`;
  return code === "EPERM" ? `task ${pid} is another user's` : message;
}

/** All names in lines; or for each word the other way to say it, and for a shell's exit code of 128 and more what ended it. */
function listText(given: Arguments): string {
  if (given.words.length === 0) return `${signalWords.join(" ")}\n`;
  return given.words
    .map((word) => {
      const code = Number(word) - EXIT_SIGNALLED;
      const number = code > 0 && code <= SIGNAL_MAX ? code : signalIn(given, word);
      return /^\d+$/.test(word) ? `${number === 0 ? 0 : wordOfSignal(number)}\n` : `${number}\n`;
    })
    .join("");
}

function tableText(): string {
  const rows = Object.entries(signals).map(([name, { number, description }]) => {
    const what = `${name.slice("SIG".length).padEnd(8)} ${defaultAction(number).padEnd(10)} ${description}`;
    return [String(number).padStart(2), what] as const;
  });
  const realTime = ["32", "RTMIN    terminate  to 64, RTMAX: real-time, each one is queued with its value"] as const;
  return `${columns([...rows, realTime])}\n`;
}
