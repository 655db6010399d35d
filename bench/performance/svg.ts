// Charts as SVG, written by hand: bars, lines and dots on an axis. Each has a card of its own behind it, and colours for light and for
// dark, so that it can be read on any page.

const STYLE = `
    text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .title { font-size: 15px; font-weight: 600; }
    .faint { fill: #59636e; }
    .card { fill: #ffffff; stroke: #d1d9e0; }
    .grid { stroke: #d1d9e0; }
    .axis { stroke: #59636e; }
    .mark { stroke: #cf222e; stroke-width: 2.5; }
    .line { fill: none; stroke-width: 2; }
    .a { fill: #0969da; stroke: #0969da; } .b { fill: #bc4c00; stroke: #bc4c00; } .c { fill: #1a7f37; stroke: #1a7f37; }
    .d { fill: #8250df; stroke: #8250df; } .e { fill: #6e7781; stroke: #6e7781; } .f { fill: #bf3989; stroke: #bf3989; }
    .g { fill: #9a6700; stroke: #9a6700; }
    .line.a, .line.b, .line.c, .line.d, .line.e, .line.f, .line.g { fill: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .faint { fill: #9198a1; }
      .card { fill: #0d1117; stroke: #3d444d; }
      .grid { stroke: #2f353d; }
      .axis { stroke: #9198a1; }
      .mark { stroke: #ff7b72; }
      .a { fill: #4493f8; stroke: #4493f8; } .b { fill: #f0883e; stroke: #f0883e; } .c { fill: #3fb950; stroke: #3fb950; }
      .d { fill: #ab7df8; stroke: #ab7df8; } .e { fill: #9198a1; stroke: #9198a1; } .f { fill: #f778ba; stroke: #f778ba; }
      .g { fill: #d29922; stroke: #d29922; }
    }
  `;

/** A colour: a is ours, b Linux's, e a limit. */
export type Colour = "a" | "b" | "c" | "d" | "e" | "f" | "g";

export interface Axis {
  readonly label: string;
  readonly log: boolean;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  readonly format?: (value: number) => string;
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly colour: Colour;
  /** Where the budget is. */
  readonly mark?: number | undefined;
  readonly note: string;
}

export interface Series {
  readonly name: string;
  readonly colour: Colour;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One line of dots. */
export interface Dots {
  readonly label: string;
  readonly colour: Colour;
  readonly values: readonly number[];
}

const WIDTH = 860;
const PAD = 16;
const HEAD = 44;
const FOOT = 48;
const ROW = 20;
/** The width of a character, about. */
const CHARACTER = 6.8;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
const at = (value: number): string => Number(value.toFixed(1)).toString();

const text = (x: number, y: number, content: string, more = ""): string =>
  `<text x="${at(x)}" y="${at(y)}"${more}>${escaped(content)}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
  `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;

const END = ' text-anchor="end"';
const MIDDLE = ' text-anchor="middle"';

/** Where a value lies between two places; what is beyond the axis lies at its end. */
function placed({ log, from, to }: Axis, value: number, begin: number, end: number): number {
  const scale = (v: number): number => (log ? Math.log10(v) : v);
  const part = (scale(Math.max(value, log ? from : value)) - scale(from)) / (scale(to) - scale(from));
  return begin + Math.min(1, Math.max(0, part)) * (end - begin);
}

function card(title: string, description: string, height: number, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
  <title>${escaped(title)}</title>
  <desc>${escaped(description)}</desc>
  <style>${STYLE}</style>
  <rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
  ${text(PAD, 28, title, ' class="title"')}
${content.map((part) => `  ${part}`).join("\n")}
</svg>
`;
}

function horizontalAxis(axis: Axis, left: number, right: number, top: number, bottom: number): string[] {
  const format = axis.format ?? String;
  const half = (axis.label.length * CHARACTER) / 2;
  const center = Math.min((left + right) / 2, WIDTH - PAD - half);
  return [
    ...axis.ticks.flatMap((tick) => {
      const x = placed(axis, tick, left, right);
      return [line(x, top, x, bottom, "grid"), text(x, bottom + 16, format(tick), `${MIDDLE} class="faint"`)];
    }),
    text(center, bottom + 36, axis.label, MIDDLE),
  ];
}

/** Rows of labels to the left, with a horizontal axis below. */
function rowsChart(
  title: string,
  axis: Axis,
  labels: readonly string[],
  noteLength: number,
  row: (index: number, y: number, x: (value: number) => number) => string[],
): string {
  const left = PAD + Math.max(0, ...labels.map((label) => label.length)) * CHARACTER;
  const right = WIDTH - PAD - 8 - noteLength * CHARACTER;
  const bottom = HEAD + labels.length * ROW + 4;
  const x = (value: number): number => placed(axis, value, left, right);
  return card(title, axis.label, bottom + FOOT, [
    ...horizontalAxis(axis, left, right, HEAD, bottom),
    ...labels.flatMap((label, i) => {
      const y = HEAD + i * ROW;
      return [text(left - 8, y + 14, label, END), ...row(i, y, x)];
    }),
  ]);
}

/** A bar to each value, from 1 where the axis is one of ratios; a mark where the budget is. */
export function barChart(title: string, axis: Axis, bars: readonly Bar[]): string {
  const origin = axis.log && axis.from < 1 && axis.to > 1 ? 1 : axis.from;
  return rowsChart(
    title,
    axis,
    bars.map(({ label }) => label),
    Math.max(0, ...bars.map(({ note }) => note.length)),
    (i, y, x) => {
      const { value, colour, mark, note } = bars[i];
      const [from, to] = [x(origin), x(value)].sort((a, b) => a - b);
      return [
        `<rect class="${colour}" stroke="none" x="${at(from)}" y="${y + 4}" width="${at(Math.max(1, to - from))}" height="12"/>`,
        ...(mark === undefined ? [] : [line(x(mark), y + 1, x(mark), y + 19, "mark")]),
        text(Math.max(to, mark === undefined ? to : x(mark)) + 6, y + 14, note, ' class="faint"'),
      ];
    },
  );
}

/** A dot for each value of a row. */
export function dotChart(title: string, axis: Axis, rows: readonly Dots[], mark: number): string {
  return rowsChart(
    title,
    axis,
    rows.map(({ label }) => label),
    0,
    (i, y, x) => [
      line(x(mark), y, x(mark), y + ROW, "axis"),
      ...rows[i].values.map(
        (value) => `<circle class="${rows[i].colour}" fill-opacity="0.6" cx="${at(x(value))}" cy="${y + 10}" r="4.5"/>`,
      ),
    ],
  );
}

const PLOT_HEIGHT = 300;

/** Lines with a point at each value, a legend to the right; `mark` is a horizontal line. */
export function lineChart(
  title: string,
  xAxis: Axis,
  yAxis: Axis,
  series: readonly Series[],
  mark?: { readonly value: number; readonly label: string },
): string {
  const [left, right, top, bottom] = [PAD + 56, WIDTH - 264, HEAD + 8, HEAD + 8 + PLOT_HEIGHT];
  const x = (value: number): number => placed(xAxis, value, left, right);
  const y = (value: number): number => placed(yAxis, value, bottom, top);
  const format = yAxis.format ?? String;
  const middle = (top + bottom) / 2;
  return card(title, `${yAxis.label} by ${xAxis.label}`, bottom + FOOT, [
    ...horizontalAxis(xAxis, left, right, top, bottom),
    ...yAxis.ticks.flatMap((tick) => [
      line(left, y(tick), right, y(tick), "grid"),
      text(left - 8, y(tick) + 4, format(tick), `${END} class="faint"`),
    ]),
    text(PAD + 4, middle, yAxis.label, `${MIDDLE} transform="rotate(-90 ${PAD + 4} ${at(middle)})"`),
    ...(mark === undefined
      ? []
      : [
          line(left, y(mark.value), right, y(mark.value), "mark"),
          text(right + 8, y(mark.value) + 4, mark.label, ' class="faint"'),
        ]),
    ...series.flatMap(({ name, colour, points }, i) => [
      `<polyline class="line ${colour}" points="${points.map(([px, py]) => `${at(x(px))},${at(y(py))}`).join(" ")}"/>`,
      ...points.map(([px, py]) => `<circle class="${colour}" cx="${at(x(px))}" cy="${at(y(py))}" r="3.5"/>`),
      `<rect class="${colour}" stroke="none" x="${right + 24}" y="${top + 8 + i * ROW}" width="12" height="12"/>`,
      text(right + 42, top + 18 + i * ROW, name),
    ]),
  ]);
}

/** The powers of a base from one value to another, with the ends rounded away from each other. */
export function powers(base: number, least: number, most: number): number[] {
  const exponent = (value: number): number => Math.log(value) / Math.log(base);
  const [first, last] = [Math.floor(exponent(least) + 1e-9), Math.ceil(exponent(most) - 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number((base ** (first + i)).toPrecision(12)));
}
