// Positions in a ring run free over 32 bits, and wrap; what lies between two of them has a name.

/** What was put in and not taken out: messages or bytes from `head` to `tail`. */
export const used = (head: number, tail: number): number => (tail - head) | 0;
