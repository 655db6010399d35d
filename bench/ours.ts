// Our side of a measurement: a kernel of this run's, and processes that attach to it by its name.

import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Kernel } from "../src/index.ts";
import { type Cpus, onCpu } from "./placement.ts";
import { measuredNs } from "./processes.ts";
import type { OurWork } from "./rows.ts";
import type { Role, SideOrder } from "./side.ts";

/** The sides of a work; the measured one is the last. */
const SIDES: Record<OurWork, { file: "queue-side" | "pipe-side" | "lock-side"; partner?: Role; measured: Role }> = {
  "queue-pair": { file: "queue-side", measured: "pair" },
  "queue-stream": { file: "queue-side", partner: "sender", measured: "receiver" },
  "queue-roundtrip": { file: "queue-side", partner: "echo", measured: "client" },
  "semaphore-pair": { file: "lock-side", measured: "counter" },
  "mutex-pair": { file: "lock-side", measured: "locker" },
  "mutex-contended": { file: "lock-side", partner: "rival", measured: "contender" },
  "pipe-stream": { file: "pipe-side", partner: "writer", measured: "reader" },
};

export interface OurMeasurement {
  work: OurWork;
  bytes: number;
  depth: number | undefined;
  warmup: number;
  operations: number;
  cpus: Cpus;
}

export class Ours {
  readonly #name = `bench-${process.pid}`;
  readonly #kernel: Kernel;
  #measurements = 0;
  #removed = false;

  constructor() {
    this.#kernel = Kernel.open(this.#name, { create: true, exclusive: true });
  }

  /** Nanoseconds of one operation. Every measurement has fresh objects and fresh processes. */
  async measure(measurement: OurMeasurement, deadlineMs: number): Promise<number> {
    const object = `object-${this.#measurements++}`;
    const unlink = this.#make(object, measurement);
    try {
      return await measuredNs(this.#commands(object, measurement), deadlineMs);
    } finally {
      unlink();
      this.#kernel.reap();
    }
  }

  /** Idempotent. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    try {
      this.#kernel.close();
    } finally {
      Kernel.unlink(this.#name);
    }
  }

  /** Makes what the sides will open by name; returns how to be rid of it. */
  #make(object: string, { work, bytes, depth }: OurMeasurement): () => void {
    if (work === "pipe-stream") {
      this.#kernel.mkfifo(object, { capacity: bytes });
      return () => this.#kernel.unlinkFifo(object);
    }
    if (work === "semaphore-pair" || work === "mutex-pair" || work === "mutex-contended")
      return this.#makeLocks(object, work);
    const names = work === "queue-roundtrip" ? [`${object}-there`, `${object}-back`] : [object];
    const queues = names.map((name) =>
      this.#kernel.queue({ name, create: true, exclusive: true, ...(depth === undefined ? {} : { depth }) }),
    );
    return () => {
      for (const queue of queues) queue.close();
      for (const name of names) this.#kernel.unlinkQueue(name);
    };
  }

  /** A mutex, and a semaphore of the same name: that counts from 1, or tells a rival to stop. */
  #makeLocks(name: string, work: OurWork): () => void {
    const semaphore = this.#kernel.semaphore({ name, create: true, value: work === "semaphore-pair" ? 1 : 0 });
    const mutex = this.#kernel.mutex({ name, create: true });
    return () => {
      for (const handle of [semaphore, mutex]) handle.close();
      this.#kernel.unlinkSemaphore(name);
      this.#kernel.unlinkMutex(name);
    };
  }

  #commands(object: string, { work, bytes, warmup, operations, cpus }: OurMeasurement): string[][] {
    const { file, partner, measured } = SIDES[work];
    const own = fileURLToPath(import.meta.url);
    const program = fileURLToPath(new URL(`./${file}${extname(own)}`, import.meta.url));
    const command = (role: Role, cpu: number): string[] => {
      const order: SideOrder = { role, kernel: this.#name, object, bytes, warmup, operations };
      return onCpu(cpu, [process.execPath, program, JSON.stringify(order)]);
    };
    const measuring = command(measured, cpus.measured);
    return partner === undefined ? [measuring] : [command(partner, cpus.partner), measuring];
  }
}
