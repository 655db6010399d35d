// Whether a machine has what kernels between processes need: each check says what it found, and what to do where that is not fit.

import { closeSync, constants, ftruncateSync, openSync, readFileSync, statfsSync, statSync } from "node:fs";
import { arch, platform, release } from "node:os";
import { limitDefaults } from "../abi/limits.ts";
import { libc } from "./libc.ts";
import { identityOfProcess, linuxOrigin, ownIdentity } from "./linux-identity.ts";
import { DIRECTORY, O_TMPFILE } from "./region-file.ts";

export interface Check {
  readonly subject: string;
  /** `note`: it works, but might surprise. */
  readonly verdict: "ok" | "note" | "unfit";
  readonly finding: string;
  /** What to do. */
  readonly remedy?: string;
}

type Finding = Omit<Check, "subject">;

const ok = (finding: string): Finding => ({ verdict: "ok", finding });
const note = (finding: string, remedy: string): Finding => ({ verdict: "note", finding, remedy });
const unfit = (finding: string, remedy: string): Finding => ({ verdict: "unfit", finding, remedy });

const checks: { readonly [subject: string]: () => Finding } = {
  system: checkSystem,
  node: checkNode,
  koffi: checkKoffi,
  "/dev/shm": checkDirectory,
  room: checkRoom,
  mapping: checkMapping,
  futex: checkFutex,
  "/proc": checkProc,
  visibility: checkVisibility,
  "pid namespace": checkNamespace,
  "open files": checkOpenFiles,
  "address space": checkAddressSpace,
  "file size": checkFileSize,
};

/** Runs every check; one that fails in a way that nobody thought of is unfit. */
export function checkHost(): Check[] {
  return Object.entries(checks).map(([subject, check]) => {
    try {
      return { subject, ...check() };
    } catch (error) {
      return { subject, ...unfit((error as Error).message, "see the message") };
    }
  });
}

function checkSystem(): Finding {
  const name = `${platform()} ${release()} on ${arch()}`;
  if (platform() === "linux" && arch() === "x64") return ok(name);
  return unfit(name, "kernels between processes need Linux on x86-64; worker threads work everywhere");
}

const NODE_LEAST = [20, 19] as const;

function checkNode(): Finding {
  const { node } = process.versions;
  const [major, minor] = node.split(".").map(Number) as [number, number];
  const fits = major > NODE_LEAST[0] || (major === NODE_LEAST[0] && minor >= NODE_LEAST[1]);
  return fits ? ok(`version ${node}`) : unfit(`version ${node}`, `install Node ${NODE_LEAST.join(".")} or later`);
}

function checkKoffi(): Finding {
  const library = libc();
  return typeof library === "string" ? unfit(library, "npm install koffi") : ok("loads, and reaches the C library");
}

const TMPFS_MAGIC = 0x01021994;

/** The mount of a directory: its type and options, from proc_pid_mounts(5); undefined where it is none of its own. */
function mountOf(directory: string): { type: string; options: string[] } | undefined {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const fields = lines.map((line) => line.split(" ")).findLast(([, path]) => path === directory);
  return fields && { type: fields[2] as string, options: (fields[3] as string).split(",") };
}

function checkDirectory(): Finding {
  const { type: magic } = statfsSync(DIRECTORY);
  const mount = mountOf(DIRECTORY);
  const shown = mount ? `${mount.type} (${mount.options.join(",")})` : "no mount of its own";
  if (mount?.options.includes("ro")) return unfit(shown, `mount -o remount,rw ${DIRECTORY}`);
  const descriptor = openSync(DIRECTORY, constants.O_RDWR | O_TMPFILE, 0o600);
  closeSync(descriptor);
  if (magic === TMPFS_MAGIC) return ok(shown);
  return note(shown, `it is no tmpfs: kernels would be written to a disk; mount -t tmpfs tmpfs ${DIRECTORY}`);
}

const MIB = 1024 * 1024;
const mebibytes = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

function checkRoom(): Finding {
  const { bavail, blocks, bsize, ffree } = statfsSync(DIRECTORY);
  const free = bavail * bsize;
  const shown = `${mebibytes(free)} of ${mebibytes(blocks * bsize)} free`;
  const larger = `make room (fanga clean), or mount -o remount,size=1G ${DIRECTORY} (docker run --shm-size=1g)`;
  if (ffree === 0 && blocks > 0) return unfit(`${shown}, but no file can be made`, "remove some");
  if (free < 2 * MIB) return unfit(shown, larger);
  if (free >= limitDefaults.regionBytes) return ok(shown);
  return note(shown, `a kernel of the default size can take ${mebibytes(limitDefaults.regionBytes)}: ${larger}`);
}

const PROBE_BYTES = 4096;

/** Runs a probe over a file of one page that has no name. */
function withProbeFile<T>(probe: (descriptor: number) => T): T {
  const descriptor = openSync(DIRECTORY, constants.O_RDWR | O_TMPFILE, 0o600);
  try {
    ftruncateSync(descriptor, PROBE_BYTES);
    return probe(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const NOT_WITHOUT_KOFFI = unfit("cannot be tried without koffi", "npm install koffi");

function checkMapping(): Finding {
  const library = libc();
  if (typeof library === "string") return NOT_WITHOUT_KOFFI;
  return withProbeFile((descriptor) => {
    const reserved = library.reserve(descriptor, 0, PROBE_BYTES);
    if (reserved < 0) return unfit(`fallocate fails with errno ${-reserved}`, "use a tmpfs that has it");
    const [one, other] = [0, 1].map(() => library.mapShared(descriptor, PROBE_BYTES)) as [number, number];
    if (one < 0 || other < 0)
      return unfit("a shared mapping cannot be made", "look at ulimit -v and the container's limits");
    const [words, seen] = [one, other].map((at) => new Int32Array(library.view(at, PROBE_BYTES))) as [
      Int32Array,
      Int32Array,
    ];
    Atomics.add(words, 0, 4711);
    const shared = Atomics.load(seen, 0) === 4711;
    for (const at of [one, other]) library.unmapToZeros(at, PROBE_BYTES);
    return shared ? ok("two mappings of a file share its memory") : unfit("two mappings differ", "use another kernel");
  });
}

const MISSED_MS = 20;

/** A wait on a word that has another value returns at once; on one that has the value, when the time is over. */
function checkFutex(): Finding {
  const library = libc();
  if (typeof library === "string") return NOT_WITHOUT_KOFFI;
  return withProbeFile((descriptor) => {
    const address = library.mapShared(descriptor, PROBE_BYTES);
    if (address < 0) return unfit("a shared mapping cannot be made", "see the check of mappings");
    const elapsed = (expected: number): number => {
      const start = performance.now();
      library.futexWait(address, expected, MISSED_MS);
      return performance.now() - start;
    };
    const sleeps = elapsed(0) >= MISSED_MS * 0.9;
    const returns = elapsed(1) < MISSED_MS * 0.9;
    library.unmapToZeros(address, PROBE_BYTES);
    if (sleeps && returns) return ok("sleeps and returns as it should");
    return unfit("futex(2) does not sleep: it is refused", "allow futex in the container's seccomp profile");
  });
}

function checkProc(): Finding {
  const own = ownIdentity();
  if (!own) return unfit("there is none", "mount -t proc proc /proc: without it nobody can be told dead");
  linuxOrigin();
  return ok("tells who a thread is, and whether it lives");
}

/** Whether this process sees others': who is hidden looks dead, and would be buried alive. */
function checkVisibility(): Finding {
  const options = mountOf("/proc")?.options ?? [];
  const hidden = options.find((option) => /^hidepid=(?:1|2|4|noaccess|invisible|ptraceable)$/.test(option));
  const subset = options.find((option) => option === "subset=pid");
  if (hidden) {
    return note(
      `/proc is mounted with ${hidden}: processes of other users cannot be seen`,
      "all tasks of a kernel must be of one user, which is so unless root is among them; ptrace must be allowed for hidepid=4",
    );
  }
  if (subset) return unfit("/proc is mounted with subset=pid: /proc/sys is not there", "mount it without");
  return ok(identityOfProcess(1) === undefined ? "others' processes of this user" : "all processes of this namespace");
}

function checkNamespace(): Finding {
  const { ino } = statSync("/proc/self/ns/pid");
  const first = readFileSync("/proc/self/status", "utf8");
  const nested = (/^NSpid:\s*(.*)$/m.exec(first)?.[1] ?? "").trim().split(/\s+/).length > 1;
  const shown = `pid:[${ino}]${nested ? ", inside another" : ""}`;
  if (!nested) return ok(`${shown}: a kernel's tasks are all of one`);
  return note(
    shown,
    "processes of another container are of another: share the pid namespace (docker run --pid=container:…)",
  );
}

/** A soft limit of this process, from proc_pid_limits(5). */
function softLimit(name: string): number {
  const line = readFileSync("/proc/self/limits", "utf8")
    .split("\n")
    .find((one) => one.startsWith(name));
  const value = line?.slice(name.length).trim().split(/\s+/)[0];
  return value === undefined || value === "unlimited" ? Number.POSITIVE_INFINITY : Number(value);
}

const FILES_LEAST = 128;
const FILES_WANTED = 1024;

function checkOpenFiles(): Finding {
  const limit = softLimit("Max open files");
  const shown = `at most ${limit} (RLIMIT_NOFILE)`;
  const remedy = "ulimit -n 4096: a kernel takes one, and its bell one for each task that it wakes";
  if (limit < FILES_LEAST) return unfit(shown, remedy);
  return limit < FILES_WANTED ? note(shown, remedy) : ok(shown);
}

function checkAddressSpace(): Finding {
  const limit = softLimit("Max address space");
  if (limit === Number.POSITIVE_INFINITY) return ok("unlimited (RLIMIT_AS)");
  return note(`at most ${mebibytes(limit)} (RLIMIT_AS)`, "ulimit -v unlimited: each kernel is mapped whole");
}

function checkFileSize(): Finding {
  const limit = softLimit("Max file size");
  if (limit >= limitDefaults.regionBytes)
    return ok(`${limit === Number.POSITIVE_INFINITY ? "unlimited" : mebibytes(limit)} (RLIMIT_FSIZE)`);
  return unfit(
    `at most ${mebibytes(limit)} (RLIMIT_FSIZE)`,
    "ulimit -f unlimited, or make kernels with a smaller regionBytes",
  );
}
