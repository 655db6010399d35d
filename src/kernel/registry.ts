// The registry: the table of objects, and the map from SysV keys and POSIX names to them. Guarded by the kernel lock and
// written through the journal. Finding a name costs the same however many objects there are.

import { EEXIST, ENOSPC } from "../abi/errno.ts";
import { NAME_BYTES_MAX } from "../abi/limits.ts";
import type { Allocator } from "../memory/allocator.ts";
import type { Charges } from "../memory/charges.ts";
import type { Journal } from "../memory/journal.ts";
import { type Geometry, header, isBodyLine, object } from "../memory/layout.ts";
import { field, offsetOf, type Word, type Words } from "../memory/words.ts";
import type { Ownership } from "./permissions.ts";

/** Where an object is reached: by a name, by a SysV key, or (neither) only by those who hold it. */
export interface Address {
  readonly kind: number;
  readonly name?: Uint8Array;
  readonly key?: number;
  /** It lives until it is unlinked though neither leads to it: IPC_PRIVATE, known by its id alone. */
  readonly persistent?: boolean;
}

/** Who makes an object, and with which mode. */
export interface Creator {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** The first lines of the blocks that an object has besides its body. */
export type BlocksOf = (kind: number, bodyLine: number) => number[];

/** What the registry is made of. */
interface Parts {
  readonly words: Words;
  readonly journal: Journal;
  readonly geometry: Geometry;
  readonly allocator: Allocator;
  readonly charges: Charges;
}

const FREE_HEAD = header.OBJECT_FREE as Word;

export class Registry {
  readonly #words: Words;
  readonly #journal: Journal;
  readonly #geometry: Geometry;
  readonly #allocator: Allocator;
  readonly #charges: Charges;
  readonly #blocksOf: BlocksOf;

  constructor({ words, journal, geometry, allocator, charges }: Parts, blocksOf: BlocksOf) {
    this.#words = words;
    this.#journal = journal;
    this.#charges = charges;
    this.#geometry = geometry;
    this.#allocator = allocator;
    this.#blocksOf = blocksOf;
  }

  /** The index of the object at an address, or -1. */
  findLocked(address: Address): number {
    if (address.name === undefined && address.key === undefined) return -1;
    const hash = hashOf(address);
    let next = this.#words.get(this.#bucket(hash));
    for (let steps = this.#geometry.limits.objectsMax; this.isIndex(next - 1) && steps > 0; steps--) {
      const at = this.#record(next - 1);
      if (this.#words.get(field(at, object.HASH)) === hash && this.#isAt(at, address)) return next - 1;
      next = this.#words.get(field(at, object.NEXT));
    }
    return -1;
  }

  /**
   * Makes an object with a zeroed body of `bodyBytes`, linked where it has an address; returns its index. EEXIST, ENOMEM, ENOSPC
   * where there are no more, or its creator has made as many as one task may.
   */
  createLocked(address: Address, bodyBytes: number, creator: Creator): number {
    if (this.findLocked(address) >= 0) return EEXIST;
    const index = this.#words.get(FREE_HEAD) - 1;
    if (!this.isIndex(index) || !this.#charges.payLocked(creator.pid, "OBJECTS", 1)) return ENOSPC;
    const body = this.#allocator.allocateLocked(bodyBytes, creator.pid);
    if (body < 0) return body;
    const at = this.#record(index);
    const write = (name: number, value: number): void => this.#journal.write(field(at, name), value);
    this.#journal.write(FREE_HEAD, this.#words.get(field(at, object.NEXT)));
    this.#journal.add(header.OBJECTS_USED as Word, 1);
    write(object.KIND, address.kind);
    write(object.REFERENCES, 0);
    write(object.LINKED, 0);
    write(object.BODY, body);
    write(object.GENERATION, (this.#words.get(field(at, object.GENERATION)) + 1) | 0);
    write(object.MODE, creator.mode);
    write(object.UID, creator.uid | 0);
    write(object.GID, creator.gid | 0);
    write(object.CREATOR_UID, creator.uid | 0);
    write(object.CREATOR_GID, creator.gid | 0);
    write(object.CREATOR_PID, creator.pid);
    write(object.CHANGED, secondsNow());
    this.#link(at, index, address);
    return index;
  }

  /** Takes an object's name or key away; it lives on while somebody holds it. */
  unlinkLocked(index: number): void {
    const at = this.#record(index);
    if (this.#words.get(field(at, object.LINKED)) === 0) return;
    this.#unlinkFromBucket(at, index);
    this.#journal.write(field(at, object.LINKED), 0);
    this.#destroyIfUnused(index);
  }

  #unlinkFromBucket(at: Word, index: number): void {
    let from = this.#bucket(this.#words.get(field(at, object.HASH)));
    for (let steps = this.#geometry.limits.objectsMax; steps > 0; steps--) {
      const next = this.#words.get(from) - 1;
      if (next === index) {
        this.#journal.write(from, this.#words.get(field(at, object.NEXT)));
        return;
      }
      if (!this.isIndex(next)) return;
      from = field(this.#record(next), object.NEXT);
    }
  }

  retainLocked(index: number): void {
    this.#journal.add(field(this.#record(index), object.REFERENCES), 1);
  }

  /** Drops a reference; with the last, an object that has no address is destroyed. */
  releaseLocked(index: number): void {
    this.#journal.add(field(this.#record(index), object.REFERENCES), -1);
    this.#destroyIfUnused(index);
  }

  isIndex(index: number): boolean {
    return index >= 0 && index < this.#geometry.limits.objectsMax;
  }

  kindOf(index: number): number {
    return this.#words.load(field(this.#record(index), object.KIND));
  }

  /** Where an object's body begins. Of a damaged record it is the heap's first lines, whatever they hold: never outside. */
  bodyLineOf(index: number): number {
    const line = this.#words.load(field(this.#record(index), object.BODY));
    return isBodyLine(this.#geometry, line) ? line : this.#geometry.heapLine;
  }

  /** Whether an object's record leads to a body: none begins where the heap does. */
  isWhole(index: number): boolean {
    return this.bodyLineOf(index) !== this.#geometry.heapLine;
  }

  generationOf(index: number): number {
    return this.#words.load(field(this.#record(index), object.GENERATION));
  }

  isLinked(index: number): boolean {
    return this.#words.load(field(this.#record(index), object.LINKED)) !== 0;
  }

  referencesTo(index: number): number {
    return this.#words.load(field(this.#record(index), object.REFERENCES));
  }

  /** The bytes of an object's name; none where it has no name. */
  nameOf(index: number): Uint8Array {
    const at = this.#record(index);
    const length = Math.min(this.#words.load(field(at, object.NAME_BYTES)) >>> 0, NAME_BYTES_MAX);
    const name = new Uint8Array(length);
    this.#words.copyOut(offsetOf(field(at, object.NAME)), name, 0, length);
    return name;
  }

  keyOf(index: number): number {
    return this.#words.load(field(this.#record(index), object.KEY));
  }

  creatorPidOf(index: number): number {
    return this.#words.load(field(this.#record(index), object.CREATOR_PID));
  }

  /** When it was made, or its owner or mode last set, in seconds since 1970. */
  changedAt(index: number): number {
    return this.#words.load(field(this.#record(index), object.CHANGED)) >>> 0;
  }

  ownershipOf(index: number): Ownership {
    const at = this.#record(index);
    const read = (name: number): number => this.#words.load(field(at, name)) >>> 0;
    return {
      mode: read(object.MODE),
      uid: read(object.UID),
      gid: read(object.GID),
      creatorUid: read(object.CREATOR_UID),
      creatorGid: read(object.CREATOR_GID),
    };
  }

  setOwnershipLocked(index: number, change: { mode: number; uid: number; gid: number }): void {
    const at = this.#record(index);
    this.#journal.write(field(at, object.MODE), change.mode);
    this.#journal.write(field(at, object.UID), change.uid | 0);
    this.#journal.write(field(at, object.GID), change.gid | 0);
    this.#journal.write(field(at, object.CHANGED), secondsNow());
  }

  /** The mode alone, above its permissions: no change of the object that its owner made. */
  setModeLocked(index: number, mode: number): void {
    this.#journal.write(field(this.#record(index), object.MODE), mode);
  }

  /** An object of a key that can be found no more: its key is IPC_PRIVATE from here on (shmctl(2)). */
  forgetKeyLocked(index: number): void {
    this.#journal.write(field(this.#record(index), object.KEY), 0);
  }

  #link(at: Word, index: number, address: Address): void {
    const hash = hashOf(address);
    this.#journal.write(field(at, object.HASH), hash);
    this.#journal.write(field(at, object.KEY), address.key ?? 0);
    this.#journal.write(field(at, object.NAME_BYTES), address.name?.length ?? 0);
    this.#journal.write(field(at, object.NEXT), 0);
    if (address.persistent) this.#journal.write(field(at, object.LINKED), 1);
    if (address.name === undefined && address.key === undefined) return;
    // The name's own bytes need no journal: nobody reads them before the object is linked.
    if (address.name) this.#words.copyIn(offsetOf(field(at, object.NAME)), address.name, 0, address.name.length);
    const bucket = this.#bucket(hash);
    this.#journal.write(field(at, object.NEXT), this.#words.get(bucket));
    this.#journal.write(field(at, object.LINKED), 1);
    this.#journal.write(bucket, index + 1);
  }

  #isAt(at: Word, address: Address): boolean {
    const words = this.#words;
    if (words.get(field(at, object.KIND)) !== address.kind) return false;
    if (address.name === undefined) {
      return words.get(field(at, object.NAME_BYTES)) === 0 && words.get(field(at, object.KEY)) === address.key;
    }
    if (words.get(field(at, object.NAME_BYTES)) !== address.name.length) return false;
    return words.equal(offsetOf(field(at, object.NAME)), address.name);
  }

  #destroyIfUnused(index: number): void {
    const at = this.#record(index);
    const words = this.#words;
    if (words.get(field(at, object.REFERENCES)) > 0 || words.get(field(at, object.LINKED)) !== 0) return;
    const body = this.bodyLineOf(index);
    for (const line of this.#blocksOf(words.get(field(at, object.KIND)), body)) this.#allocator.freeLocked(line);
    this.#allocator.freeLocked(body);
    this.#charges.giveBackLocked(words.get(field(at, object.CREATOR_PID)), "OBJECTS", 1);
    this.#journal.write(field(at, object.KIND), 0);
    this.#journal.write(field(at, object.NEXT), words.get(FREE_HEAD));
    this.#journal.write(FREE_HEAD, index + 1);
    this.#journal.add(header.OBJECTS_USED as Word, -1);
  }

  #record(index: number): Word {
    return field(this.#geometry.objects, index * object.WORDS);
  }

  #bucket(hash: number): Word {
    return field(this.#geometry.buckets, (hash >>> 0) & (this.#geometry.bucketCount - 1));
  }
}

/** Seconds since 1970, in 32 bits. */
export const secondsNow = (): number => Math.floor(Date.now() / 1000) | 0;

/** FNV-1a over the kind and the name's bytes or the key's. */
function hashOf(address: Address): number {
  let hash = Math.imul(0x811c9dc5 ^ address.kind, 0x01000193);
  const key = address.key ?? 0;
  const bytes = address.name ?? [key & 255, (key >> 8) & 255, (key >> 16) & 255, key >>> 24];
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash ^ (hash >>> 15);
}
