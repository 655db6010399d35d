// The processes of one test file, found by a word in their environment, which they inherit: a process group or a parent is
// what a program can leave, and a process that holds on to a pipe of ours after its test must not be missed.

import { readdirSync, readFileSync } from "node:fs";

/** The variable that says which run, and which file of it, a process belongs to. */
export const MARK = "FANGAOS_TEST_FILE";

/** Those that are alive and carry this mark, this process not among them. Without a /proc: none. */
export function processesOf(mark) {
  return osPids().flatMap((osPid) => {
    if (osPid === process.pid || !carries(osPid, mark)) return [];
    const command = textOf(`/proc/${osPid}/cmdline`).replaceAll("\0", " ").trim();
    return command === "" ? [] : [{ osPid, command }]; // a zombie has neither environment nor command
  });
}

/** Ends them at once, and what they start meanwhile, too. */
export function killProcessesOf(mark) {
  for (let found = processesOf(mark); found.length > 0; found = processesOf(mark)) {
    for (const { osPid } of found) killed(osPid);
  }
}

const osPids = () => {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
};

/** A mark begins with that of the run inside which its own run was started, if any. */
const carries = (osPid, mark) => {
  const environment = `\0${textOf(`/proc/${osPid}/environ`)}`;
  return ["\0", "/"].some((end) => environment.includes(`\0${MARK}=${mark}${end}`));
};

function textOf(path) {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // it is gone, or another user's
  }
}

function killed(osPid) {
  try {
    process.kill(osPid, "SIGKILL");
  } catch {} // it is gone
}
