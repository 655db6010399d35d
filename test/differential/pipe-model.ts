// What two pipes would do: Linux's, which counts its space in pages, and ours, a circular buffer of bytes as the mission says. The
// test draws only calls on which the two agree (row `pipe-bytes` of differences.ts).
//
// Linux (fs/pipe.c): a pipe has slots of a page. What is written goes behind the last slot's bytes if the part of it that is no
// whole page fits there whole; the rest takes new slots. A slot is free again once all of it was read.

const PAGE = 4096;

interface Page {
  offset: number;
  length: number;
}

/** What a call would give: bytes, "full" where it would block or give EAGAIN. */
export type Prediction = number | "full";

export class PipeModel {
  pages: Page[] = [];
  capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get used(): number {
    return this.pages.reduce((sum, { length }) => sum + length, 0);
  }

  /** Without waiting. */
  writesOnLinux(bytes: number): Prediction {
    const copy = new PipeModel(this.capacity);
    copy.pages = this.pages.map((page) => ({ ...page }));
    const written = copy.write(bytes);
    return written === 0 && bytes > 0 ? "full" : written;
  }

  writesHere(bytes: number): Prediction {
    const room = this.capacity - this.used;
    if (bytes === 0) return 0;
    if (bytes <= Math.min(PAGE, this.capacity)) return room >= bytes ? bytes : "full";
    return room > 0 ? Math.min(room, bytes) : "full";
  }

  /** Writes what fits, as Linux does; returns how much. */
  write(bytes: number): number {
    let left = bytes;
    const part = bytes % PAGE;
    const last = this.pages.at(-1);
    if (last && part > 0 && last.offset + last.length + part <= PAGE) {
      last.length += part;
      left -= part;
    }
    while (left > 0 && this.pages.length < this.capacity / PAGE) {
      const length = Math.min(left, PAGE);
      this.pages.push({ offset: 0, length });
      left -= length;
    }
    return bytes - left;
  }

  read(bytes: number): number {
    let left = bytes;
    while (left > 0 && this.pages.length > 0) {
      const page = this.pages[0] as Page;
      const count = Math.min(page.length, left);
      page.offset += count;
      page.length -= count;
      left -= count;
      if (page.length === 0) this.pages.shift();
    }
    return bytes - left;
  }

  /** Whether poll(2) says alike that there is room. */
  agreesOnRoom(): boolean {
    return this.pages.length < this.capacity / PAGE === this.capacity - this.used >= PAGE;
  }

  /** Whether both take another capacity, or both refuse it. */
  agreesOnCapacity(capacity: number): boolean {
    return this.pages.length <= capacity / PAGE === this.used <= capacity;
  }

  copy(): PipeModel {
    const copy = new PipeModel(this.capacity);
    copy.pages = this.pages.map((page) => ({ ...page }));
    return copy;
  }
}
