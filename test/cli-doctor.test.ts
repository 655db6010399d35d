// fanga doctor: each check, on this machine and where something is not fit.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { checkHost } from "../src/platforms/host-checks.ts";
import { type Ended, endOf, fanga, fangaPath, missing } from "./fanga.ts";

const SUBJECTS = [
  ...["system", "node", "koffi", "/dev/shm", "room", "mapping", "futex", "/proc", "visibility", "pid namespace"],
  ...["open files", "address space", "file size"],
];

test("fanga doctor checks what kernels between processes need, and this machine has it", async () => {
  const { status, stdout } = await fanga(["doctor"]);
  for (const subject of SUBJECTS)
    assert.match(stdout, new RegExp(`^(?:ok|note|UNFIT) +${subject} {2,}\\S`, "m"), stdout);
  assert.equal(status, 0, stdout);
});

test("whatever is not ok comes with what to do", () => {
  for (const { subject, verdict, remedy } of checkHost()) {
    if (verdict !== "ok") assert.ok(remedy && remedy.length > 0, subject);
  }
});

/** Runs doctor in a shell behind a line that makes something unfit. */
async function doctorAfter(line: string, under: readonly string[] = []): Promise<Ended> {
  const shell = ["sh", "-c", `${line}; exec "$0" "$@"`, process.execPath, fangaPath, "doctor"];
  const [program, ...words] = [...under, ...shell];
  return endOf(spawn(program as string, words));
}

test("too few open files are noted or unfit, with the command that mends it", async () => {
  const few = await doctorAfter("ulimit -n 256");
  assert.match(few.stdout, /^note +open files +at most 256 \(RLIMIT_NOFILE\)\n +ulimit -n 4096/m);
  assert.equal(few.status, 0);
  const fewer = await doctorAfter("ulimit -n 100");
  assert.match(fewer.stdout, /^UNFIT +open files +at most 100/m);
  assert.equal(fewer.status, 1);
  const tooFew = await doctorAfter("ulimit -n 32");
  assert.deepEqual([tooFew.status, tooFew.stdout], [1, ""]);
  assert.equal(tooFew.stderr, "fanga: too few files may be open, even to begin: type ulimit -n 1024\n");
});

const NAMESPACE = ["unshare", "-rm"] as const;
const noNamespace = missing(NAMESPACE[0], ...NAMESPACE.slice(1), "true");

test("a /dev/shm that is read-only or has no room is unfit", { skip: noNamespace }, async () => {
  const readOnly = await doctorAfter("mount -t tmpfs -o ro tmpfs /dev/shm", NAMESPACE);
  assert.match(readOnly.stdout, /^UNFIT +\/dev\/shm +tmpfs \(ro,.*\)\n +mount -o remount,rw \/dev\/shm/m);
  assert.equal(readOnly.status, 1);
  const small = await doctorAfter("mount -t tmpfs -o size=1m tmpfs /dev/shm", NAMESPACE);
  assert.match(small.stdout, /^UNFIT +room +1 MiB of 1 MiB free\n +make room/m);
  assert.equal(small.status, 1);
});

test("without koffi it says so, and what to do", { skip: noNamespace }, async () => {
  const koffi = new URL("../../node_modules/koffi", import.meta.url).pathname;
  const { status, stdout } = await doctorAfter(`mount -t tmpfs tmpfs '${koffi}'`, NAMESPACE);
  assert.match(
    stdout,
    /^UNFIT +koffi +kernels between processes need the optional dependency koffi[^\n]*\n +npm install koffi/m,
  );
  assert.match(stdout, /^UNFIT +mapping +cannot be tried without koffi/m);
  assert.equal(status, 1);
});

test("fanga doctor --json tells the same to programs", async () => {
  const { stdout } = await fanga(["doctor", "--json"]);
  const checks = JSON.parse(stdout) as { subject: string; verdict: string }[];
  assert.deepEqual(
    checks.map(({ subject }) => subject),
    SUBJECTS,
  );
  for (const { verdict } of checks) assert.match(verdict, /^(?:ok|note|unfit)$/);
});
