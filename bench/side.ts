// What the two processes of a measurement of ours are told, and what the measured one answers.

import { Kernel } from "../src/index.ts";

export type Role =
  | "pair"
  | "sender"
  | "receiver"
  | "client"
  | "echo"
  | "writer"
  | "reader"
  | "copier"
  | "counter"
  | "locker"
  | "contender"
  | "rival"
  | "batch-sender"
  | "batch-receiver"
  | "signaller"
  | "signalled"
  | "await-client"
  | "await-echo"
  | "await-sender"
  | "await-receiver"
  | "caller"
  | "crowd-sender"
  | "crowd-receiver"
  | "crowd-measured"
  | "fair"
  | "fair-measured"
  | "fair-sender"
  | "fair-receiver"
  | "fair-receiver-measured";

export interface SideOrder {
  role: Role;
  /** The kernel's name. */
  kernel: string;
  /** The name of the queue, FIFO, semaphore or mutex; a round trip has two queues, `<object>-there` and `<object>-back`. */
  object: string;
  /** Bytes of one message, or of a pipe and its chunks. */
  bytes: number;
  warmup: number;
  operations: number;
  /** Of the role `caller`: what it calls; of `copier`: which way. */
  call?: string | undefined;
  /** Of a crowd: how many there are of each side. */
  parties?: number | undefined;
}

/** A message of the wrong length is a broken measurement: say so at once. */
export function assertLength(got: number, expected: number): void {
  if (got !== expected) throw new Error(`received ${got} bytes instead of ${expected}`);
}

/** Writes the figure of the measured side. */
export function report(elapsedNs: bigint, operations: number): void {
  process.stdout.write(`${JSON.stringify({ operations, ns: Number(elapsedNs) / operations })}\n`);
}

/** Runs the work once to warm up and once under the clock. */
export function measure(order: SideOrder, work: (count: number) => void): void {
  work(order.warmup);
  const start = process.hrtime.bigint();
  work(order.operations);
  report(process.hrtime.bigint() - start, order.operations);
}

/** The same for work that awaits. */
export async function measureAsync(order: SideOrder, work: (count: number) => Promise<void>): Promise<void> {
  await work(order.warmup);
  const start = process.hrtime.bigint();
  await work(order.operations);
  report(process.hrtime.bigint() - start, order.operations);
}

/** Attaches to the kernel that the command line names, does what the role does, and detaches. */
export async function runSide(
  roles: { [role in Role]?: (kernel: Kernel, order: SideOrder) => void | Promise<void> },
): Promise<void> {
  const order = JSON.parse(process.argv[2]) as SideOrder;
  const act = roles[order.role];
  if (!act) throw new Error(`this side has no role ${order.role}`);
  const kernel = Kernel.open(order.kernel);
  try {
    await act(kernel, order);
  } finally {
    kernel.close();
  }
}
