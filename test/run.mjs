// Runs the built tests with node:test: every dist/test/*.test.js, or those whose names are given.
//
// A file that hangs is ended, with all that it has started, and named: by node:test where it can be, and else from here by force, for
// a process that spins or sleeps in a call of the host's may not hear what node:test tells it.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A file that takes longer hangs; the slowest needs one minute on a quiet machine. */
const FILE_MS_MAX = Number(process.env.TEST_FILE_MS_MAX ?? 10 * 60_000);
/** What node:test is given to end it by itself. */
const GRACE_MS = Math.min(30_000, FILE_MS_MAX);
const LOOK_MS = 2000;

const wanted = process.argv.slice(2);
const files = readdirSync("dist/test")
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => `dist/test/${name}`);

/** The pid, parent and arguments of every process; empty where there is no /proc. */
function processes() {
  const found = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      found.push({ pid: Number(name), parent, argv: readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0") });
    } catch {} // it has ended
  }
  return found;
}

function descendants(of, all) {
  const children = all.filter(({ parent }) => parent === of);
  return children.concat(children.flatMap(({ pid }) => descendants(pid, all)));
}

/** Since when each file's process has been seen. */
const since = new Map();

function endWhatHangs() {
  const all = processes();
  for (const { pid, argv } of descendants(runner.pid, all)) {
    const file = argv.find((argument) => files.some((name) => argument.endsWith(name)));
    if (file === undefined) continue;
    if (!since.has(pid)) since.set(pid, Date.now());
    if (Date.now() - since.get(pid) < FILE_MS_MAX + GRACE_MS) continue;
    process.stderr.write(`${file} hangs: it is killed, with all that it has started\n`);
    for (const one of [...descendants(pid, all), { pid }]) {
      try {
        process.kill(one.pid, "SIGKILL");
      } catch {} // it has ended
    }
  }
}

const options = ["--test", "--test-concurrency=2", `--test-timeout=${FILE_MS_MAX}`];
const runner = spawn(process.execPath, [...options, ...files], { stdio: "inherit" });
const watching = process.platform === "linux" ? setInterval(endWhatHangs, LOOK_MS) : undefined;
runner.on("exit", (status) => {
  clearInterval(watching);
  process.exit(status ?? 1);
});
