// Text for people: tables, durations, sizes.

/** How a column stands under its heading. */
export interface Column {
  readonly heading: string;
  readonly right?: boolean;
}

/** Lines of a table: each column as wide as its widest cell. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ""))));
  return all.map((row) =>
    columns
      .map(({ right }, i) => {
        const cell = row[i] ?? "";
        const space = " ".repeat((widths[i] as number) - widthOf(cell));
        return right ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
}

const widthOf = (text: string): number => [...text].length;

/** The first so many characters of a line. */
export const clipped = (text: string, width: number): string =>
  widthOf(text) <= width ? text : `${[...text].slice(0, Math.max(0, width - 1)).join("")}…`;

/** A name that somebody else chose, as one that does nothing to a terminal: control characters are escaped. */
export const harmless = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (one) => {
    const code = one.codePointAt(0) as number;
    return `\\x${code.toString(16).padStart(2, "0")}`;
  });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const pad = (part: number): string => String(part).padStart(2, "0");

/** "0.3s", "12s", "3m05s", "2h10m", "5d03h" */
export function durationText(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m${pad(Math.floor((ms % MINUTE) / SECOND))}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h${pad(Math.floor((ms % HOUR) / MINUTE))}m`;
  return `${Math.floor(ms / DAY)}d${pad(Math.floor((ms % DAY) / HOUR))}h`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** "512 B", "1.5 MiB" */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** "1 task", "2 tasks" */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** A time of the clock, in the form of date -Is without the zone; "never" for 0. */
export function timeText(seconds: number): string {
  if (seconds === 0) return "never";
  const date = new Date(seconds * SECOND);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export const modeText = (mode: number): string => mode.toString(8).padStart(3, "0");

/** As ipcs(1) shows it. */
export const keyText = (key: number): string => `0x${(key >>> 0).toString(16).padStart(8, "0")}`;
