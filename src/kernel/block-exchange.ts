// Exchanging an object's own block, such as a pipe's bytes or a queue's slots, for one of another size. In three steps, each
// whole: the new block is allocated and noted, the content moves, and the block that is not SHAPE's by then is freed. A death
// in between is finished by whoever exchanges next, or by the object's end.

import type { Allocator } from "../memory/allocator.ts";
import type { Journal } from "../memory/journal.ts";
import { type Shape, shapeLine, shapeOf } from "../memory/shape.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";

/** Where in an object's body its shapes are. */
export interface ShapeNames {
  readonly SHAPE: number;
  readonly OLD_SHAPE: number;
  readonly NEW_SHAPE: number;
}

/** The kernel, as far as an exchange needs it. */
interface Exchanger {
  readonly words: Words;
  readonly journal: Journal;
  readonly pid: number;
  transaction(change: () => number, after?: (result: number) => void): number;
}

interface Exchange {
  readonly bodyLine: number;
  readonly names: ShapeNames;
  readonly bytes: number;
  /** What the new shape counts: bytes, or slots. */
  readonly count: number;
  /** Moves the content, and publishes the shape: 0, or a negative errno where it does not fit. */
  readonly move: (shape: Shape) => number;
  /** Says under the kernel lock whether it is still to be done. */
  readonly wanted?: () => boolean;
}

export class BlockExchange {
  readonly #kernel: Exchanger;
  readonly #allocator: Allocator;

  constructor(kernel: Exchanger, allocator: Allocator) {
    this.#kernel = kernel;
    this.#allocator = allocator;
  }

  /** 0, what `move` said, or ENOMEM. */
  run({ bodyLine, names, bytes, count, move, wanted = () => true }: Exchange): number {
    const { words, journal, pid } = this.#kernel;
    const body = (bodyLine * LINE_WORDS) as Word;
    const at = (name: number): Word => field(body, name);
    let result = 0;
    const allocated = this.#kernel.transaction(
      () => {
        if (!wanted()) return 0;
        this.freeSpareLocked(body, names);
        // Its creator has chosen how large it may become.
        const line = this.#allocator.allocateLocked(bytes, this.#allocator.payerOf(bodyLine) || pid);
        if (line < 0) return line;
        journal.write(at(names.OLD_SHAPE), words.load(at(names.SHAPE)));
        journal.write(at(names.NEW_SHAPE), shapeOf(line, count));
        return line;
      },
      (line) => {
        if (line === 0) return;
        result = move(words.load(at(names.NEW_SHAPE)) as Shape);
        this.freeSpareLocked(body, names);
        journal.commit();
      },
    );
    return allocated < 0 ? allocated : result;
  }

  /** Frees the block that an exchange has left over. */
  freeSpareLocked(body: Word, names: ShapeNames): void {
    const { words, journal } = this.#kernel;
    const read = (name: number): number => words.load(field(body, name));
    const spare = read(names.SHAPE) === read(names.NEW_SHAPE) ? read(names.OLD_SHAPE) : read(names.NEW_SHAPE);
    if (spare !== 0) this.#allocator.freeLocked(shapeLine(spare));
    journal.write(field(body, names.OLD_SHAPE), 0);
    journal.write(field(body, names.NEW_SHAPE), 0);
  }
}
