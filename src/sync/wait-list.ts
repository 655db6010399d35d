// Who waits for what a lock guards: wait nodes in order of arrival. A node's state is the word that its owner sleeps on.
//
//   0 IDLE     in no list
//   1 WAITING  in a list; the owner is awake and about to look, or to sleep
//   2 SLEEPING in a list; the owner sleeps on this word: wake it by a call
//   3 AWAITED  in a list; a promise waits: ring the owner's bell
//   4 WOKEN    taken out by a waker; the owner has not looked yet
//   5 INTERRUPTED taken out by one who wants the owner to give up waiting; it has not looked yet
//   6 POLLED   in a list; the owner waits for several things and sleeps on its task's POLL word (poll-word.ts)
//
// The states and LIST words are the truth; NEXT, PREVIOUS, FIRST and LAST are a cache of them, and whoever takes the lock
// over from a dead holder rebuilds it by looking at every node.

import { type Geometry, isBodyLine, monitor, node } from "../memory/layout.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";

export const IDLE = 0;
export const WAITING = 1;
export const SLEEPING = 2;
export const AWAITED = 3;
export const WOKEN = 4;
export const INTERRUPTED = 5;
export const POLLED = 6;

/** Which messages a waiter takes: a kind of objects/selection.ts, and a number. */
export interface Selector {
  readonly kind: number;
  /** The halves of a 64-bit number. */
  readonly low: number;
  readonly high: number;
}

/** A wait node, as the word it begins at; 0 is none. */
export type Node = Word & { readonly node: true };
export const NO_NODE = 0 as Node;

export const isListed = (state: number): boolean => (state >= WAITING && state <= AWAITED) || state === POLLED;
/** Whether the owner of a node with this state can look at it: a waker or interrupter has taken it out. */
export const isTakenOut = (state: number): boolean => state === WOKEN || state === INTERRUPTED;

/** So far from the front a node looks for the place that it had. */
const PLACES_MAX = 16;

export const stateOf = (at: Node): Word => field(at, node.STATE);

/** The monitor in whose list a node says it is, inside the region; 0 for none. */
export function listOf(words: Words, geometry: Geometry, at: Node): Word {
  const list = words.load(field(at, node.LIST)) as Word;
  return isBodyLine(geometry, Math.floor(list / LINE_WORDS)) ? list : (0 as Word);
}

export class WaitList {
  readonly #words: Words;
  readonly #geometry: Geometry;
  readonly #base: Word;

  /** `base` is the monitor that the list belongs to. */
  constructor(words: Words, geometry: Geometry, base: Word) {
    this.#words = words;
    this.#geometry = geometry;
    this.#base = base;
  }

  isEmptyLocked(): boolean {
    return this.firstLocked() === NO_NODE;
  }

  firstLocked(): Node {
    return this.#head(monitor.FIRST);
  }

  /** The next in order of arrival. */
  afterLocked(at: Node): Node {
    return this.#link(at, node.NEXT);
  }

  hasLookersLocked(): boolean {
    return this.#words.get(field(this.#base, monitor.LOOKERS)) > 0;
  }

  /**
   * Puts a node at the end, or where it stood before: who was woken, and found that another had been quicker, does not begin to wait
   * anew. `state` is WAITING, AWAITED or POLLED. A `want` of 0 only looks.
   */
  enlistLocked(at: Node, state: number, want: number, selector: Selector | undefined): void {
    const words = this.#words;
    const previous = this.#placeOf(at);
    words.set(field(at, node.WANT), want);
    words.set(field(at, node.SELECT_KIND), selector?.kind ?? 0);
    words.set(field(at, node.SELECT), selector?.low ?? 0);
    words.set(field(at, node.SELECT + 1), selector?.high ?? 0);
    words.store(field(at, node.LIST), this.#base);
    words.store(stateOf(at), state); // PUBLISHES the wait → observed in takeLocked(), rebuildLocked()
    if (previous === undefined) this.#linkLast(at);
    else this.#linkAfter(at, previous);
  }

  /**
   * The node that it stands after, NO_NODE where it is the first; undefined for the end. It keeps its ticket until it is claimed anew:
   * who has been in front finds its place within a few steps, and who does not goes to the end.
   */
  #placeOf(at: Node): Node | undefined {
    const words = this.#words;
    const own = words.get(field(at, node.TICKET));
    let previous = NO_NODE;
    for (let steps = 0; own !== 0 && steps < PLACES_MAX; steps++) {
      const next = previous === NO_NODE ? this.#head(monitor.FIRST) : this.#link(previous, node.NEXT);
      if (next === NO_NODE) return undefined;
      if (((words.get(field(next, node.TICKET)) - own) | 0) > 0) return previous;
      previous = next;
    }
    const ticket = (words.get(field(this.#base, monitor.TICKET)) + 1) | 0 || 1;
    words.set(field(this.#base, monitor.TICKET), ticket);
    words.set(field(at, node.TICKET), ticket);
    return undefined;
  }

  /** Takes out a node that may have been taken out meanwhile: returns the state it was in. The node is IDLE afterwards. */
  removeLocked(at: Node): number {
    const state = this.#words.exchange(stateOf(at), IDLE);
    if (isListed(state)) this.#unlink(at);
    this.#words.store(field(at, node.LIST), 0);
    return state;
  }

  /** The first node that wants no more than `credit`, and that `fits` has nothing against; or none. */
  firstFittingLocked(credit: number, fits: ((at: Node) => boolean) | undefined): Node {
    let at = this.#head(monitor.FIRST);
    for (let steps = this.#geometry.limits.waitersMax; at !== NO_NODE && steps > 0; steps--) {
      if (this.#words.get(field(at, node.WANT)) <= credit && (!fits || fits(at))) return at;
      at = this.#link(at, node.NEXT);
    }
    return NO_NODE;
  }

  *eachLocked(): Generator<Node> {
    let at = this.#head(monitor.FIRST);
    for (let steps = this.#geometry.limits.waitersMax; at !== NO_NODE && steps > 0; steps--) {
      yield at;
      at = this.#link(at, node.NEXT);
    }
  }

  hasTakersLocked(): boolean {
    return this.firstFittingLocked(0x7fffffff, (at) => this.wantOf(at) > 0) !== NO_NODE;
  }

  /** Takes a node out to wake it; returns the state it was in, which says how. */
  takeLocked(at: Node): number {
    this.#unlink(at);
    return this.#words.exchange(stateOf(at), WOKEN); // PUBLISHES the wake → observed by the node's owner
  }

  /**
   * Takes a node out so that its owner gives up (INTERRUPTED), or only looks again (WOKEN); IDLE where it is in no list, or a promise
   * waits, or a poll.
   */
  interruptLocked(at: Node, as: typeof INTERRUPTED | typeof WOKEN): number {
    const state = this.#words.load(stateOf(at));
    if (state !== WAITING && state !== SLEEPING) return IDLE;
    this.#unlink(at);
    // An owner that is going to sleep has changed its own state meanwhile: what it was is what must be woken.
    return this.#words.exchange(stateOf(at), as); // PUBLISHES the interruption → observed by the node's owner
  }

  isHere(at: Node): boolean {
    return this.#words.load(field(at, node.LIST)) === this.#base;
  }

  wantOf(at: Node): number {
    return this.#words.get(field(at, node.WANT));
  }

  ownerOf(at: Node): number {
    return this.#words.load(field(at, node.OWNER));
  }

  /** After a dead holder: the list anew, from the nodes' own states. */
  rebuildLocked(): void {
    const words = this.#words;
    const { nodes, limits } = this.#geometry;
    const found: Node[] = [];
    for (let i = 0; i < limits.waitersMax; i++) {
      const at = field(nodes, i * node.WORDS) as Node;
      if (words.load(field(at, node.LIST)) === this.#base && isListed(words.load(stateOf(at)))) found.push(at);
    }
    const ticketOf = (at: Node): number => words.get(field(at, node.TICKET));
    found.sort((a, b) => (ticketOf(a) - ticketOf(b)) | 0);
    this.#setHead(monitor.FIRST, NO_NODE);
    this.#setHead(monitor.LAST, NO_NODE);
    words.set(field(this.#base, monitor.LOOKERS), 0);
    for (const at of found) this.#linkLast(at);
  }

  #linkLast(at: Node): void {
    this.#join(this.#head(monitor.LAST), at);
    this.#join(at, NO_NODE);
    this.#countLooker(at, 1);
  }

  /** In front where `previous` is NO_NODE. */
  #linkAfter(at: Node, previous: Node): void {
    const next = previous === NO_NODE ? this.#head(monitor.FIRST) : this.#link(previous, node.NEXT);
    this.#join(previous, at);
    this.#join(at, next);
    this.#countLooker(at, 1);
  }

  /** Makes one follow the other, of which one may be NO_NODE. */
  #join(previous: Node, next: Node): void {
    if (previous === NO_NODE) this.#setHead(monitor.FIRST, next);
    else this.#setLink(previous, node.NEXT, next);
    if (next === NO_NODE) this.#setHead(monitor.LAST, previous);
    else this.#setLink(next, node.PREVIOUS, previous);
  }

  #unlink(at: Node): void {
    this.#join(this.#link(at, node.PREVIOUS), this.#link(at, node.NEXT));
    this.#countLooker(at, -1);
  }

  #countLooker(at: Node, by: number): void {
    if (this.#words.get(field(at, node.WANT)) !== 0) return;
    const lookers = field(this.#base, monitor.LOOKERS);
    this.#words.set(lookers, Math.max(0, this.#words.get(lookers) + by));
  }

  #head(name: number): Node {
    return this.#bounded(this.#words.get(field(this.#base, name)));
  }

  #link(at: Node, name: number): Node {
    return this.#bounded(this.#words.get(field(at, name)));
  }

  /** What is read from shared memory leads to a node, or nowhere. */
  #bounded(word: number): Node {
    const { nodes, limits } = this.#geometry;
    const index = word - nodes;
    return (index >= 0 && index < limits.waitersMax * node.WORDS && index % node.WORDS === 0 ? word : 0) as Node;
  }

  #setHead(name: number, at: Node): void {
    this.#words.set(field(this.#base, name), at);
  }

  #setLink(at: Node, name: number, to: Node): void {
    this.#words.set(field(at, name), to);
  }
}
