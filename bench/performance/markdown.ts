// Tables in Markdown.

/** `right` are the columns of numbers, by their index. */
export function table(
  headings: readonly string[],
  right: readonly number[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = headings.map((_, i) => (right.includes(i) ? "---:" : "---"));
  return [line(headings), `|${rule.join("|")}|`, ...rows.map(line)].join("\n");
}
