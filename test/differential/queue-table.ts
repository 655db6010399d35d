// Which POSIX queue each descriptor of the tasks leads to, from what was observed: so much as is needed to see who waits for the
// same.

import { DescriptorTable } from "./descriptor-table.ts";
import { namedBy, type Observation, type Operand, type Operation } from "./operation.ts";

const O_CREAT = 0o100;
const O_EXCL = 0o200;
/** Queues of default size, 80 KiB, that a user may have besides small ones. RLIMIT_MSGQUEUE is 800 KiB by default. */
const DEFAULT_SIZE_MAX = 3;
const SMALL_MAX = 8;

export class QueueTable {
  readonly #descriptors: DescriptorTable<number>;
  /** Queues that have a name. */
  readonly #named = new Map<string, number>();
  #queues = 0;
  #ofDefaultSize = 0;

  constructor(tasks: number) {
    this.#descriptors = new DescriptorTable(tasks);
  }

  /** Descriptors of a task. */
  symbolsOf(task: number): string[] {
    return this.#descriptors.symbolsOf(task);
  }

  queueOf(task: number, operand: Operand | undefined): number | undefined {
    return this.#descriptors.get(task, operand);
  }

  /** Whether Linux has room for a queue that an mq_open could make. */
  hasRoomFor({ args }: Operation): boolean {
    if (!((args[1] as number) & O_CREAT)) return true;
    const isSmall = args[3] !== 0;
    return isSmall ? this.#queues - this.#ofDefaultSize < SMALL_MAX : this.#ofDefaultSize < DEFAULT_SIZE_MAX;
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    const { task, name, args } = operation;
    if (name === "mq_open") this.#opened(operation, result);
    else if (name === "mq_unlink") this.#named.delete(nameIn(operation));
    else if (name === "close") this.#descriptors.close(task, args[0]);
  }

  #opened(operation: Operation, descriptor: number): void {
    const name = nameIn(operation);
    const flags = operation.args[1] as number;
    if (flags & O_EXCL && flags & O_CREAT) this.#named.delete(name);
    const queue = this.#named.get(name) ?? this.#queues;
    if (queue === this.#queues) {
      this.#queues++;
      if (operation.args[3] === 0) this.#ofDefaultSize++;
    }
    this.#named.set(name, queue);
    this.#descriptors.name(namedBy(operation) as string, descriptor);
    this.#descriptors.open(operation.task, descriptor, queue);
  }
}

const nameIn = ({ inputs = [] }: Operation): string => {
  const [first] = inputs;
  return first?.value instanceof Uint8Array ? Buffer.from(first.value).toString("latin1") : "";
};
