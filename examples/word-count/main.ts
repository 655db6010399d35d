// Counts the words of real text with a reader and workers in one kernel, and checks the sums against a plain count.

import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { IpcError, Kernel } from "../../src/index.ts";
import { openFreshKernel, unlinkIfThere } from "../common/own-kernel.ts";
import { type Arguments, HELP, parseArguments, UsageError } from "./arguments.ts";
import { Crew } from "./crew.ts";
import { MESSAGE_BYTES_MAX } from "./messages.ts";
import { countPlainly } from "./plain-count.ts";
import { createProgress, megabytes, type Progress } from "./progress.ts";
import { type Count, commonestWords, disagreements, taskTable, totals } from "./report.ts";
import { RunError, SharedCount } from "./shared-count.ts";
import { changedSince, listTextFiles, type TextFile, type TextFiles } from "./text-files.ts";
import type { Sums } from "./totals.ts";

const REGION_BYTES = 64 * 1024 * 1024;
const COMMONEST = 10;

/** What has to be undone however the run ends. */
interface Leftovers {
  crew?: Crew;
  count?: SharedCount;
  kernelName?: string;
  progress?: Progress;
}

const leftovers: Leftovers = {};

async function main(words: readonly string[]): Promise<number> {
  const options = parseArguments(words);
  if (options.help) {
    print(HELP.trimEnd());
    return 0;
  }
  const paths = options.paths.length > 0 ? options.paths : [installedPackages()];
  const list = listTextFiles(paths);
  if (list.files.length === 0) throw new UsageError(`there is no text to count in ${paths.join(", ")}`);
  print(introduction(list, options));
  const { count: shared, sums } = await countShared(list.files, options);
  const plain = await countAgain(list.files);
  print(`\n${commonestWords(shared.table, COMMONEST)}\n\n${totals([shared, plain])}\n`);
  print(`in shared memory: ${sums.jobs} jobs, ${sums.words} words\n`);
  return judge(shared, plain, list.files, sums);
}

function introduction({ files, binary, unreadable }: TextFiles, options: Arguments): string {
  const how = `${options.workers} ${options.threads ? "worker threads" : "worker processes"}`;
  return (
    `${files.length} files of text, ${megabytes(bytesOf(files))} MB, counted by ${how}` +
    ` (left out: ${binary} binary, ${unreadable} unreadable)`
  );
}

async function countShared(files: TextFile[], options: Arguments): Promise<{ count: Count; sums: Sums }> {
  using kernel = options.threads ? Kernel.create(limits()) : openKernel();
  const crew = new Crew(kernel, options.threads);
  const progress = createProgress(bytesOf(files) + files.length, process.stdout, process.stderr);
  Object.assign(leftovers, { crew, progress });
  progress.line(`main pid ${kernel.pid} (${options.threads ? "thread 0" : `process ${process.pid}`}) started`);
  const count = new SharedCount(kernel, crew, files, progress);
  leftovers.count = count;
  await count.run(options.workers);
  progress.finish();
  const sums = count.totals.sum();
  await cleanUp();
  const { milliseconds } = count;
  const bytes = count.bytesCounted - files.length;
  const main = { pid: kernel.pid, jobs: count.jobs, bytes: count.bytesPiped - files.length, milliseconds };
  print(`\n${taskTable(main, crew, options.threads)}`);
  return { sums, count: { label: "tasks", table: count.table, files: readFiles(files), bytes, milliseconds } };
}

function limits() {
  return { regionBytes: REGION_BYTES, messageBytesMax: MESSAGE_BYTES_MAX };
}

function openKernel(): Kernel {
  const { kernel, name } = openFreshKernel("word-count", limits());
  leftovers.kernelName = name;
  return kernel;
}

async function countAgain(files: readonly TextFile[]): Promise<Count> {
  const began = performance.now();
  const { table, bytes } = await countPlainly(files);
  const milliseconds = performance.now() - began;
  return { label: "one process", table, files: readFiles(files), bytes, milliseconds };
}

/** Says "ok", or what is wrong; returns the exit status. */
function judge(shared: Count, plain: Count, files: readonly TextFile[], { words }: Sums): number {
  const found = disagreements(shared, plain);
  if (words !== plain.table.words) {
    found.push(`${words} words in shared memory, ${plain.table.words} counted by one process`);
  }
  if (found.length === 0) {
    print("ok");
    return 0;
  }
  const changed = changedSince(files);
  if (changed.length > 0) {
    complain(
      `the counts differ because files have changed meanwhile (${changed.length}; one is ${changed[0].path}): run it again`,
    );
  } else {
    complain(`the counts differ: ${found.join("; ")}`);
  }
  return 1;
}

function bytesOf(files: readonly TextFile[]): number {
  return files.reduce((sum, file) => sum + file.size, 0);
}

/** One that has vanished before its turn has a size of 0, and is in neither count. */
function readFiles(files: readonly TextFile[]): number {
  return files.filter((file) => file.size > 0).length;
}

/** The node_modules beside the next package.json above this file. */
function installedPackages(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "package.json"))) {
    const parent = dirname(directory);
    if (parent === directory) throw new UsageError("there is no package.json above this program: give a PATH");
    directory = parent;
  }
  const packages = join(directory, "node_modules");
  if (!existsSync(packages))
    throw new UsageError(`nothing is installed in ${packages}: run npm install, or give a PATH`);
  return relative(process.cwd(), packages) || ".";
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`word-count: ${text}\n`);
}

async function cleanUp(): Promise<void> {
  leftovers.progress?.stop();
  await leftovers.crew?.end();
  removeName();
}

function removeName(): void {
  const name = leftovers.kernelName;
  delete leftovers.kernelName;
  if (name !== undefined) unlinkIfThere(name);
}

let leaving = false;

/** Ends at once, from wherever the run is; a second time without waiting for anybody. */
async function leave(reason: string, status: number): Promise<void> {
  if (!leaving) {
    leaving = true;
    leftovers.count?.stop();
    await cleanUp();
    complain(reason);
  }
  process.exit(status);
}

for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  process.on(signal, () => void leave(`ended by ${signal}`, 128 + number));
}
// Whoever reads the output, as `head` does, may stop reading it: the end that SIGPIPE brings to other programs.
process.stdout.on("error", () => void leave("nobody reads the output", 128 + 13));
process.on("exit", () => {
  leftovers.crew?.kill();
  removeName();
});

/** For people one line, without a stack: what they can do something about. Returns the exit status. */
async function fail(error: unknown): Promise<number> {
  await cleanUp();
  if (error instanceof UsageError) {
    complain(`${error.message} (--help tells more)`);
    return 2;
  }
  if (!(error instanceof RunError || error instanceof IpcError)) throw error;
  complain(error.message);
  return 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!leaving) process.exitCode = await fail(error);
}
