// The count by many tasks: text comes out of the pipe, is cut into jobs, goes to the workers through one queue and
// comes back as tables through another. A semaphore counts the jobs in flight; the totals lie in a segment of shared memory, and
// a mutex guards them. Workers tell of their progress by SIGUSR1, and end at SIGTERM.

import { EventEmitter, once } from "node:events";
import {
  IpcError,
  type Kernel,
  type Message,
  type MessageQueue,
  type PipeReader,
  type Semaphore,
} from "../../src/index.ts";
import type { Crew, Task } from "./crew.ts";
import { JobCutter } from "./job-cutter.ts";
import { JobLedger } from "./job-ledger.ts";
import {
  decodeNotice,
  decodeResult,
  JOB_BYTES_MAX,
  JOB_TEXT_BYTES_MAX,
  MESSAGE,
  mergeResult,
  RESULT_BYTES_MAX,
} from "./messages.ts";
import type { TextFile } from "./text-files.ts";
import { Totals } from "./totals.ts";
import { WordTable } from "./word-table.ts";

const PIPE_BYTES = 256 * 1024;
const QUEUE_DEPTH = 8;
/** Dealt out and not yet counted: those in the queue, in the workers' hands, and in the queue of results. */
const JOBS_IN_FLIGHT_MAX = 3 * QUEUE_DEPTH;
const RESTARTS_MAX = 3;

/** An end of the run that is not this program's fault; the message is for people. */
export class RunError extends Error {
  override readonly name = "RunError";
}

export interface Listener {
  line(text: string): void;
  /** Bytes of text counted so far. */
  update(bytes: number): void;
}

export class SharedCount {
  readonly table = new WordTable();
  readonly totals: Totals;
  /** Bytes read from the pipe, with a newline for each file. */
  bytesPiped = 0;
  /** Bytes that results account for, and those of runs too long to be words. */
  bytesCounted = 0;
  /** From when all tasks had started until all jobs were done. */
  milliseconds = 0;
  readonly #kernel: Kernel;
  readonly #crew: Crew;
  readonly #files: TextFile[];
  readonly #listener: Listener;
  readonly #jobs: MessageQueue;
  readonly #results: MessageQueue;
  /** Counts how many more jobs may be in flight. */
  readonly #room: Semaphore;
  readonly #cutter = new JobCutter(JOB_TEXT_BYTES_MAX);
  readonly #ledger = new JobLedger();
  /** Emits "news" when a task has started or ended, or a job is done: time to look again. */
  readonly #news = new EventEmitter();
  readonly #stop = new AbortController();
  #ended = false;
  #restarts = 0;

  constructor(kernel: Kernel, crew: Crew, files: TextFile[], listener: Listener) {
    this.#kernel = kernel;
    this.#crew = crew;
    this.#files = files;
    this.#listener = listener;
    kernel.mkfifo("text", { capacity: PIPE_BYTES });
    const queue = { create: true, exclusive: true, depth: QUEUE_DEPTH };
    this.#jobs = kernel.queue({ ...queue, name: "jobs", messageBytesMax: JOB_BYTES_MAX });
    this.#results = kernel.queue({ ...queue, name: "results", messageBytesMax: RESULT_BYTES_MAX });
    this.#room = kernel.semaphore({ name: "room", create: true, exclusive: true, value: JOBS_IN_FLIGHT_MAX });
    this.totals = Totals.make(kernel, jobsMaxOf(files));
    crew.onExit((task) => this.#buried(task));
    kernel.signals.on("SIGUSR1", () => listener.update(this.totals.sum().bytes)); // a worker has counted a job
  }

  /** Jobs that were dealt out, each counted once. */
  get jobs(): number {
    return this.#ledger.added;
  }

  /** Counts the files. Where less of one could be read than was listed, its size is corrected. Throws RunError. */
  async run(workers: number): Promise<void> {
    // Before there is a reader: its own opening, which it gives up from time to time to look after this task, never waits for this one.
    const opening = this.#kernel.openFifo("text", "read", { signal: this.#stop.signal });
    this.#inBackground(opening);
    this.#crew.start("reader", this.#files);
    for (let worker = 0; worker < workers; worker++) this.#crew.start("worker");
    const collecting = this.#collect();
    this.#inBackground(collecting);
    try {
      await this.#until(() => this.#crew.living.every((task) => task.pid !== 0));
      const began = performance.now();
      await this.#dealAll(opening);
      await this.#until(() => this.#ledger.unfinished === 0);
      this.milliseconds = performance.now() - began;
      await this.#endWorkers();
      await this.#until(() => this.#crew.living.length === 0);
    } catch (error) {
      throw this.#stop.signal.aborted ? this.#stop.signal.reason : error;
    } finally {
      this.stop();
      await collecting.catch(() => {});
    }
    // What was sent last is still there when its sender is gone.
    for (const message of this.#results.tryReceiveMany(QUEUE_DEPTH)) this.#accept(message);
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#stop.abort(new RunError("the run was stopped"));
  }

  async #dealAll(opening: Promise<PipeReader>): Promise<void> {
    const { signal } = this.#stop;
    using reader = await opening;
    const piece = new Uint8Array(PIPE_BYTES);
    for (;;) {
      const length = await reader.read(piece, { signal });
      if (length === 0) break;
      this.bytesPiped += length;
      for (const text of this.#cutter.push(piece.subarray(0, length))) await this.#deal(text);
    }
    const rest = this.#cutter.end();
    if (rest !== undefined) await this.#deal(rest);
    this.bytesCounted += this.#cutter.droppedBytes;
  }

  /** Results are collected meanwhile, so this may wait for room; that bounds what is kept for sending again. */
  async #deal(text: Uint8Array): Promise<void> {
    await this.#room.wait({ signal: this.#stop.signal });
    if (this.#ledger.added === this.totals.jobsMax) throw new RunError("the files have grown too much: run it again");
    await this.#send(MESSAGE.text, [this.#ledger.add(text)]);
  }

  async #send(type: number, messages: readonly Uint8Array[]): Promise<void> {
    for (const message of messages) await this.#jobs.send(message, { type, signal: this.#stop.signal });
  }

  async #endWorkers(): Promise<void> {
    this.#ended = true;
    for (const worker of this.#crew.livingWorkers) this.#terminate(worker);
    await this.#until(() => this.#crew.livingWorkers.length === 0);
  }

  /** SIGTERM, which a worker catches when it has started. */
  #terminate(worker: Task): void {
    if (worker.pid === 0) return; // it is told as soon as it says that it has
    try {
      this.#kernel.kill(worker.pid, "SIGTERM");
    } catch (error) {
      if (!(error instanceof IpcError && error.code === "ESRCH")) throw error; // it has died
    }
  }

  async #collect(): Promise<void> {
    for (;;) {
      const messages = await this.#results.receiveMany(QUEUE_DEPTH, { signal: this.#stop.signal });
      for (const message of messages) this.#accept(message);
    }
  }

  #accept(message: Message): void {
    const { task: number, subject, bytes } = decodeNotice(message.data);
    const task = this.#crew.tasks[number - 1];
    if (message.type === MESSAGE.started) this.#welcome(task, message.sender);
    else if (message.type === MESSAGE.taken) this.#taken(task, subject);
    else if (message.type === MESSAGE.counted) this.#merge(task, message.data);
    else if (message.type === MESSAGE.shortened) this.#files[subject].size = bytes;
    else if (message.type === MESSAGE.streamed) task.bytes = bytes;
  }

  #welcome(task: Task, pid: number): void {
    task.pid = pid;
    if (task.role === "reader") task.beganMs = performance.now();
    this.#listener.line(`${this.#crew.nameOf(task)} started`);
    if (this.#ended && task.role === "worker") this.#terminate(task);
    this.#news.emit("news");
  }

  #taken(task: Task, job: number): void {
    task.beganMs ||= performance.now();
    this.#ledger.taken(job, task.number);
  }

  #merge(task: Task, message: Uint8Array): void {
    const { job, bytes } = decodeResult(message);
    if (!this.#ledger.finish(job)) return;
    this.#room.post();
    mergeResult(message, this.table);
    task.jobs++;
    task.bytes += bytes;
    task.latestMs = performance.now();
    this.bytesCounted += bytes;
    this.#news.emit("news");
  }

  #buried(task: Task): void {
    if (task.role === "reader") this.#readerEnded(task);
    else if (!this.#ended || task.state !== "done") this.#workerDied(task);
    this.#news.emit("news");
  }

  #readerEnded(task: Task): void {
    task.latestMs = performance.now();
    if (task.state === "done") return;
    this.#stop.abort(new RunError(`${this.#crew.nameOf(task)} ${task.state}, so the text is not complete`));
  }

  #workerDied(task: Task): void {
    const again = this.#ledger.abandon(task.number);
    this.#listener.line(`${this.#crew.nameOf(task)} ${task.state}; jobs dealt again: ${again.length}`);
    if (this.#crew.livingWorkers.length === 0 && !this.#ended) this.#restart();
    this.#inBackground(this.#send(MESSAGE.text, again));
  }

  #restart(): void {
    if (this.#restarts === RESTARTS_MAX) {
      this.#stop.abort(new RunError(`no worker is left, and ${RESTARTS_MAX} that were started instead have died too`));
      return;
    }
    this.#restarts++;
    this.#crew.start("worker");
  }

  /** Waits until something holds, and looks again at every piece of news. Throws when the run is stopped. */
  async #until(holds: () => boolean): Promise<void> {
    const { signal } = this.#stop;
    while (!holds()) await once(this.#news, "news", { signal });
    signal.throwIfAborted();
  }

  /** Whatever goes wrong there stops the run. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error) => this.#stop.abort(error));
  }
}

/** A job's text is nearly as long as it may be, save the last one's. */
function jobsMaxOf(files: readonly TextFile[]): number {
  const bytes = files.reduce((sum, file) => sum + file.size + 1, 0);
  return Math.ceil(bytes / (JOB_TEXT_BYTES_MAX / 2)) + 1;
}
