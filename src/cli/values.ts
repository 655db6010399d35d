// Values that several commands take: modes in octal, and sizes with a unit.

import type { Arguments } from "./arguments.ts";
import type { Options } from "./option.ts";

export const modeOption: Options = {
  mode: { type: "string", short: "m", value: "MODE", description: "its mode, in octal, less the umask; default 600" },
};

/** A mode in octal, as chmod(1) takes it, less what this process's umask takes away. */
export function modeOf(given: Arguments): number | undefined {
  const text = given.text("mode");
  if (text === undefined) return undefined;
  if (!/^(?:0o)?0*[0-7]{1,3}$/.test(text)) throw given.wrong(`--mode takes an octal mode such as 640, not "${text}"`);
  return Number.parseInt(text.replace("0o", ""), 8) & ~process.umask();
}

const units: { readonly [unit: string]: number } = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** A count of bytes, such as 4096, 0x1000, 64K or 1MiB. */
export function bytesOf(given: Arguments, name: string, most = Number.MAX_SAFE_INTEGER): number | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(0x[0-9a-f]+|\d+)(?:([KMG])(?:i?B)?)?$/i.exec(text) ?? [];
  const bytes = digits === "" ? Number.NaN : Number(digits) * (units[unit.toUpperCase()] as number);
  if (bytes <= most) return bytes;
  const bound = most === Number.MAX_SAFE_INTEGER ? "" : `, ${most} at most`;
  throw given.wrong(`--${name} takes a number of bytes such as 4096, 64K or 1M${bound}, not "${text}"`);
}
