// Wait nodes: a table in the region, shared by all tasks. A task claims a free node for each wait by one compare-exchange on
// its owner, and frees it by one store; a dead task's nodes are freed by the reaper.

import { ENOSPC } from "../abi/errno.ts";
import { type Geometry, node } from "../memory/layout.ts";
import { field, type Words } from "../memory/words.ts";
import type { Pid } from "./robust-lock.ts";
import type { Node } from "./wait-list.ts";

/** Of a wait that nobody asks about. */
const UNKNOWN = 0;

/** Now, for those who look at who waits: tenths of a second since 1970, 32 bits of them, and never UNKNOWN. */
export const beginningOfWait = (): number => Math.floor(Date.now() / 100) | 0 || 1;

/** When that was, in milliseconds since 1970; undefined where it is not known. */
export function beginningOf(since: number, now = Date.now()): number | undefined {
  const ago = (Math.floor(now / 100) - since) >>> 0;
  // Where the clock was set back meanwhile, it would be in the future.
  return since === UNKNOWN || ago > 0x7fffffff ? undefined : (Math.floor(now / 100) - ago) * 100;
}

export class NodePool {
  readonly #words: Words;
  readonly #geometry: Geometry;
  readonly #pid: Pid;
  #next: number;
  /** Nodes that this task has claimed: only it and, once it is dead, the reaper frees them. */
  #claimed = 0;

  constructor(words: Words, geometry: Geometry, pid: Pid) {
    this.#words = words;
    this.#geometry = geometry;
    this.#pid = pid;
    this.#next = (pid * 31) % geometry.limits.waitersMax; // tasks begin to look at different places
  }

  /**
   * A node for this task, in no list, or ENOSPC where `waitersMax` waits are under way, or `taskWaitersMax`
   * of this task. `since` is when the wait has begun, by
   * `beginningOfWait`.
   */
  claim(since = UNKNOWN): Node | typeof ENOSPC {
    const { nodes, limits } = this.#geometry;
    if (this.#claimed >= limits.taskWaitersMax) return ENOSPC;
    for (let i = 0; i < limits.waitersMax; i++) {
      const at = field(nodes, this.#next * node.WORDS);
      if (this.#words.compareExchange(field(at, node.OWNER), 0, this.#pid) === 0) {
        this.#words.set(field(at, node.SINCE), since);
        this.#words.set(field(at, node.TICKET), 0); // it has not stood in a list yet
        this.#claimed++;
        return at as Node;
      }
      this.#next = (this.#next + 1) % limits.waitersMax;
    }
    return ENOSPC;
  }

  /** Frees a node that is in no list; the next claim looks at it first. */
  free(at: Node): void {
    this.#claimed--;
    this.#next = (at - this.#geometry.nodes) / node.WORDS;
    this.#words.store(field(at, node.OWNER), 0);
  }
}

/** Every node claimed by a task of a slot, this one or one before it: what the reaper goes through. */
export function* nodesOf(words: Words, geometry: Geometry, slotIndex: number): Generator<Node> {
  const { nodes, limits } = geometry;
  for (let i = 0; i < limits.waitersMax; i++) {
    const at = field(nodes, i * node.WORDS);
    const owner = words.load(field(at, node.OWNER));
    if (owner !== 0 && (owner - 1) % limits.tasksMax === slotIndex) yield at as Node;
  }
}
