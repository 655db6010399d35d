// The registry: the table of objects, and the map from SysV keys and POSIX names to them. Guarded by the kernel lock and
// written through the journal. Finding a name costs the same however many objects there are.

import { EEXIST, ENOSPC } from "../abi/errno.ts";
import type { Allocator } from "../memory/allocator.ts";
import type { Journal } from "../memory/journal.ts";
import { type Geometry, header, object } from "../memory/layout.ts";
import { field, offsetOf, type Word, type Words } from "../memory/words.ts";
import type { World } from "../sync/world.ts";

/** Where an object is reached: by a name, by a SysV key, or (neither) only by those who hold it. */
export interface Address {
  readonly kind: number;
  readonly name?: Uint8Array;
  readonly key?: number;
}

const FREE_HEAD = header.OBJECT_FREE as Word;

export class Registry {
  readonly #words: Words;
  readonly #journal: Journal;
  readonly #geometry: Geometry;
  readonly #allocator: Allocator;
  readonly #world: World;

  constructor(words: Words, journal: Journal, geometry: Geometry, allocator: Allocator, world: World) {
    this.#words = words;
    this.#journal = journal;
    this.#geometry = geometry;
    this.#allocator = allocator;
    this.#world = world;
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

  /** Makes an object with a zeroed body of `bodyBytes`, linked where it has an address; returns its index. */
  createLocked(address: Address, bodyBytes: number, creatorPid: number): number {
    if (this.findLocked(address) >= 0) return EEXIST;
    const index = this.#words.get(FREE_HEAD) - 1;
    if (!this.isIndex(index)) return ENOSPC;
    const body = this.#allocator.allocateLocked(bodyBytes);
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
    write(object.MODE, 0o600);
    write(object.UID, this.#world.uid);
    write(object.GID, this.#world.gid);
    write(object.CREATOR_UID, this.#world.uid);
    write(object.CREATOR_GID, this.#world.gid);
    write(object.CREATOR_PID, creatorPid);
    this.#link(at, index, address);
    return index;
  }

  /** Takes an object's name or key away; it lives on while somebody holds it. */
  unlinkLocked(index: number): void {
    const at = this.#record(index);
    if (this.#words.get(field(at, object.LINKED)) === 0) return;
    const hash = this.#words.get(field(at, object.HASH));
    let from = this.#bucket(hash);
    for (let steps = this.#geometry.limits.objectsMax; steps > 0; steps--) {
      const next = this.#words.get(from) - 1;
      if (next === index) {
        this.#journal.write(from, this.#words.get(field(at, object.NEXT)));
        break;
      }
      if (!this.isIndex(next)) break;
      from = field(this.#record(next), object.NEXT);
    }
    this.#journal.write(field(at, object.LINKED), 0);
    this.#destroyIfUnused(index);
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

  bodyLineOf(index: number): number {
    return this.#words.load(field(this.#record(index), object.BODY));
  }

  generationOf(index: number): number {
    return this.#words.load(field(this.#record(index), object.GENERATION));
  }

  #link(at: Word, index: number, address: Address): void {
    const hash = hashOf(address);
    this.#journal.write(field(at, object.HASH), hash);
    this.#journal.write(field(at, object.KEY), address.key ?? 0);
    this.#journal.write(field(at, object.NAME_BYTES), address.name?.length ?? 0);
    this.#journal.write(field(at, object.NEXT), 0);
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
    this.#allocator.freeLocked(words.get(field(at, object.BODY)));
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

/** FNV-1a over the kind and the name's bytes or the key's. */
function hashOf(address: Address): number {
  let hash = Math.imul(0x811c9dc5 ^ address.kind, 0x01000193);
  const key = address.key ?? 0;
  const bytes = address.name ?? [key & 255, (key >> 8) & 255, (key >> 16) & 255, key >>> 24];
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash ^ (hash >>> 15);
}
