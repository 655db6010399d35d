// A shape says in one word where an object's own block is and how large, so that one store can change both: the block's
// first line (26 bits: a region has at most 2^26 lines) and the base-2 logarithm of a count.

export type Shape = number & { readonly brand: "shape" };

export const shapeOf = (line: number, count: number): Shape => ((line << 5) | (31 - Math.clz32(count))) as Shape;
export const shapeLine = (shape: number): number => shape >>> 5;
/** Not `2 ** n`: engines make that a floating-point number, and then whatever is computed with it. */
export const shapeCount = (shape: number): number => (1 << (shape & 31)) >>> 0;
