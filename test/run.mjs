// Runs the built tests with node:test: every dist/test/*.test.js, or those whose names are given.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

/** A file that takes longer hangs, and is ended and named as failed; the slowest needs one minute on a quiet machine. */
const FILE_MS_MAX = 10 * 60_000;

const wanted = process.argv.slice(2);
const files = readdirSync("dist/test")
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => `dist/test/${name}`);
const options = ["--test", "--test-concurrency=2", `--test-timeout=${FILE_MS_MAX}`];
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: "inherit" });
process.exit(status ?? 1);
