// What `console.log` and util.inspect show of a handle: what a reader wants to know of it, instead of its insides.

/** What Node calls to show an object: util.inspect.custom, by the name that it has for all. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/** util.inspect, as it is handed to who is shown. */
export type Inspect = (value: unknown, options: object) => string;

/** Such as `Mutex(mutex "accounts") { owner: 1 }`; only the class below the depth that was asked for. */
export function shown(
  { name }: { readonly name: string },
  label: string | undefined,
  facts: object,
  [depth, options, inspect]: [depth: number, options: object, inspect: Inspect],
): string {
  if (depth < 0) return `[${name}]`;
  return `${name}${label === undefined ? "" : `(${label})`} ${inspect(facts, options)}`;
}
