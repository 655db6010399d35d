// Bytes as people read them: hexadecimal and ASCII side by side, sixteen a line, as `hexdump -C` shows them.

const ROW_BYTES = 16;
const HALF = ROW_BYTES / 2;
const SQUEEZED = "*\n";
/** Lines that come in one piece. */
const PIECE_LINES = 1024;

/** The lines, in pieces of text. Lines that only repeat the one before are one "*"; `origin` is the first byte's place. */
export function* hexDump(bytes: Uint8Array, origin = 0): Generator<string, void, undefined> {
  let piece: string[] = [];
  let isSqueezed = false;
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    if (at > 0 && repeats(bytes, at)) {
      if (!isSqueezed) piece.push(SQUEEZED);
      isSqueezed = true;
      continue;
    }
    isSqueezed = false;
    piece.push(`${place(origin + at)}  ${row(bytes.subarray(at, at + ROW_BYTES))}\n`);
    if (piece.length < PIECE_LINES) continue;
    yield piece.join("");
    piece = [];
  }
  if (bytes.length > 0) piece.push(`${place(origin + bytes.length)}\n`);
  yield piece.join("");
}

const place = (offset: number): string => offset.toString(16).padStart(8, "0");

/** Whether a whole row is as the one before. */
function repeats(bytes: Uint8Array, at: number): boolean {
  if (at + ROW_BYTES > bytes.length) return false;
  for (let i = at; i < at + ROW_BYTES; i++) if (bytes[i] !== bytes[i - ROW_BYTES]) return false;
  return true;
}

function row(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const halves = [digits.slice(0, HALF).join(" "), digits.slice(HALF).join(" ")];
  const letters = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
  return `${halves.join("  ").padEnd(ROW_BYTES * 3)}  |${letters.join("")}|`;
}
