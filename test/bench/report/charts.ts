import { BarChart, CustomChart, ScatterChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { type Figure, judge, type Value } from '../figure.js';
import { formatLimit, formatNumber, formatValue } from './format.js';
import { type Section } from './run-result.js';

echarts.use([BarChart, CustomChart, ScatterChart, GridComponent, TitleComponent, SVGRenderer]);

// Apache ECharts draws SVG without a browser and without a DOM, and has two dependencies.

/** A chart, and the text for readers who do not see it. */
export interface Chart {
  /** Without the extension. */
  readonly name: string;
  readonly svg: string;
  readonly alternative: string;
}

type Measured = Figure & { readonly value: Value };

// One or two bars show no more than the table. A count has nothing to compare.
const MIN_BARS = 3;
const WIDTH = 960;
const LABEL_WIDTH = 330;
const BAR_HEIGHT = 40;
const FRAME_HEIGHT = 130;
// The chart has its own background, because the page may be dark or light and the image cannot know which. Blue, yellow
// and purple also differ for readers who do not distinguish red and green.
const BACKGROUND = '#ffffff';
const INK = '#24292f';
const BAR_COLORS = {
  held: '#0969da',
  'goal missed': '#d4a72c',
  'gate failed': '#a40e7a',
  'not judged': '#8c959f',
  'not run': '#8c959f',
} as const;

/** One bar chart for each group of figures with the same unit whose IDs differ only in the last part. */
export function drawCharts({ figures }: Section): Chart[] {
  const groups = new Map<string, Measured[]>();
  for (const figure of figures.filter(isMeasured)) {
    const key = `${figure.id.replace(/\.[^.]*$/, '')} ${figure.unit}`;
    groups.set(key, [...(groups.get(key) ?? []), figure]);
  }
  return [...groups]
    .filter(([, bars]) => bars.length >= MIN_BARS)
    .map(([key, bars]) => {
      const title = commonStart(bars.map(({ name }) => name));
      const alternative = `Bar chart: ${withoutPunctuation(title)}. ${bars.map(describe).join('; ')}.`;
      const name = key.replace(/[^a-z0-9]+/gi, '-').toLowerCase();
      return { name, svg: draw(title, bars, alternative), alternative };
    });
}

function isMeasured(figure: Figure): figure is Measured {
  return figure.value !== undefined && figure.unit !== 'count';
}

/** The words with which all names start: the title of the chart. The labels of the bars are the rest. */
function commonStart(names: readonly string[]): string {
  const [first = [], ...others] = names.map((name) => name.split(' '));
  const differs = first.findIndex((word, index) => others.some((other) => other[index] !== word));
  return first.slice(0, differs === -1 ? first.length : differs).join(' ');
}

function withoutPunctuation(text: string): string {
  return text.replace(/^[ ,:/]+|[ ,:/(]+$/g, '');
}

function describe(figure: Measured): string {
  const goal = figure.limit ? `, goal ${formatLimit(figure.limit, 'goal')}` : '';
  return `${figure.name}: ${formatValue(figure)}${goal}`;
}

function draw(title: string, bars: readonly Measured[], alternative: string): string {
  const height = FRAME_HEIGHT + bars.length * BAR_HEIGHT;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    const labels = bars.map(({ name }) => withoutPunctuation(name.slice(title.length)));
    const unit = bars[0]?.unit === 'us' ? 'µs' : bars[0]?.unit;
    chart.setOption(optionsOf(`${withoutPunctuation(title)} (${unit})`, labels, bars));
    // Without the parts for the mouse: an image in a page does not get its events, and their names differ between runs.
    const svg = chart
      .renderToSVGString()
      .replace(/ (class|ecmeta_\w+)="[^"]*"/g, '')
      .replace(/<style[^]*?<\/style>\s*/g, '');
    const name = escapeXml(alternative);
    return `${svg.replace('<svg ', '<svg role="img" ').replace('>', `>\n<title>${name}</title>`)}\n`;
  } finally {
    chart.dispose();
  }
}

function optionsOf(
  title: string,
  labels: readonly string[],
  bars: readonly Measured[],
): echarts.EChartsCoreOption {
  const text = { color: INK, fontSize: 13 };
  const subtext =
    'bar: median; line: minimum to maximum; ◆ goal; ▲ gate\nblue: held; yellow: goal missed; purple: gate failed; grey: not judged';
  return {
    animation: false,
    backgroundColor: BACKGROUND,
    title: {
      text: title,
      subtext,
      left: 12,
      top: 8,
      textStyle: { color: INK, fontSize: 16 },
      subtextStyle: text,
    },
    grid: { left: LABEL_WIDTH + 50, right: 60, top: 90, bottom: 32 },
    xAxis: { type: 'value', axisLabel: text, splitLine: { lineStyle: { color: '#d0d7de' } } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: labels,
      axisLabel: { ...text, width: LABEL_WIDTH, overflow: 'break' },
    },
    series: [barSeries(bars), rangeSeries(bars), limitSeries(bars, 'goal'), limitSeries(bars, 'gate')],
  };
}

function barSeries(bars: readonly Measured[]): object {
  return {
    type: 'bar',
    silent: true,
    barWidth: 16,
    data: bars.map((figure) => ({
      value: figure.value.median,
      itemStyle: { color: BAR_COLORS[judge(figure)] },
      label: { formatter: formatNumber(figure.value.median) },
    })),
    label: { show: true, position: [0, -13], color: INK, fontSize: 12 },
  };
}

/** A line from the minimum to the maximum of each bar. */
function rangeSeries(bars: readonly Measured[]): object {
  return {
    type: 'custom',
    silent: true,
    z: 3,
    data: bars.map(({ value }, index) => [value.min, index, value.max]),
    renderItem: (_: unknown, api: { value(at: number): number; coord(at: number[]): number[] }) => {
      const [from, to] = [api.value(0), api.value(2)].map((value) => api.coord([value, api.value(1)]));
      const shape = { x1: from?.[0], y1: from?.[1], x2: to?.[0], y2: to?.[1] };
      return { type: 'line', shape, style: { stroke: INK, lineWidth: 2 } };
    },
  };
}

function limitSeries(bars: readonly Measured[], bound: 'goal' | 'gate'): object {
  return {
    type: 'scatter',
    silent: true,
    z: 4,
    symbol: bound === 'goal' ? 'diamond' : 'triangle',
    symbolSize: 10,
    symbolOffset: [0, bound === 'goal' ? 0 : 12],
    itemStyle: { color: INK, borderColor: BACKGROUND, borderWidth: 1, opacity: 1 },
    data: bars.flatMap(({ limit }, index) => (limit ? [[limit[bound], index]] : [])),
  };
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
