// A structure of a system call's, where a pointer says that it lies: its members by their offsets in bytes, as x86-64 has them. A view
// of the whole memory is made once; one for each structure would take the engine longer than many a call.

export class Structure {
  readonly #view: DataView;
  readonly #start: number;

  /** Of the bytes from `start` on, as many as it has: whoever makes it has checked that they are there. */
  constructor(view: DataView, start: number) {
    this.#view = view;
    this.#start = start;
  }

  getUint16(offset: number): number {
    return this.#view.getUint16(this.#start + offset, true);
  }

  setUint16(offset: number, value: number): void {
    this.#view.setUint16(this.#start + offset, value, true);
  }

  getInt32(offset: number): number {
    return this.#view.getInt32(this.#start + offset, true);
  }

  setInt32(offset: number, value: number): void {
    this.#view.setInt32(this.#start + offset, value, true);
  }

  getUint32(offset: number): number {
    return this.#view.getUint32(this.#start + offset, true);
  }

  setUint32(offset: number, value: number): void {
    this.#view.setUint32(this.#start + offset, value, true);
  }

  getBigInt64(offset: number): bigint {
    return this.#view.getBigInt64(this.#start + offset, true);
  }

  setBigInt64(offset: number, value: bigint): void {
    this.#view.setBigInt64(this.#start + offset, value, true);
  }

  getBigUint64(offset: number): bigint {
    return this.#view.getBigUint64(this.#start + offset, true);
  }

  setBigUint64(offset: number, value: bigint): void {
    this.#view.setBigUint64(this.#start + offset, value, true);
  }

  /** Sets bytes from an offset on to 0. */
  clear(offset: number, length: number): void {
    const { buffer, byteOffset } = this.#view;
    new Uint8Array(buffer, byteOffset + this.#start + offset, length).fill(0);
  }
}
