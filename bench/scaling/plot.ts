/**
 * The scaling figures as an SVG of three panels side by side, each over the number of nodes on a logarithmic axis: what
 * probes and news cost each node, how long a death takes to be known, what push/pull costs. Pure: figures in, text out.
 * Solid background and no outside resource, so that it reads the same wherever it is shown.
 */
import type { Summary } from '../statistics.ts'
import type { ScalingSize } from './scaling.ts'

interface Point {
  readonly x: number
  readonly y: number
}

interface Series {
  readonly name: string
  readonly colour: string
  readonly points: readonly Point[]
  /** A line that was reckoned, not measured. */
  readonly isFormula?: boolean
}

interface Panel {
  readonly title: string
  readonly unit: string
  readonly series: readonly Series[]
}

const colours = { blue: '#0b62a4', orange: '#c2560c', green: '#2b7a3d', grey: '#6b6b6b' }
const ink = '#1f2328'
const faint = '#d8dee4'
const paper = '#ffffff'

const panelWidth = 330
const width = 3 * panelWidth + 20
const height = 330
/** Of the axes within a panel. */
const box = { left: 58, right: panelWidth - 14, top: 62, bottom: 258 }

export function plotScaling(sizes: readonly ScalingSize[]): string {
  const panels = panelsOf(sizes)
  const drawn = panels.map((panel, i) => `<g transform="translate(${10 + i * panelWidth} 0)">${drawPanel(panel)}</g>`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `role="img" aria-label="Gossip in clusters of growing size" font-family="system-ui, sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="${paper}"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}

function panelsOf(sizes: readonly ScalingSize[]): readonly Panel[] {
  const over = (value: (size: ScalingSize) => number): readonly Point[] =>
    sizes.map(size => ({ x: size.nodes, y: value(size) }))
  const seconds = (pick: (size: ScalingSize) => Summary): readonly Point[] => over(size => pick(size).median / 1_000)
  return [
    {
      title: 'Probes and news, sent by each node',
      unit: 'bytes per second',
      series: [
        { name: 'probes', colour: colours.blue, points: over(size => size.rates.probes) },
        {
          name: 'news, on probes and alone',
          colour: colours.orange,
          points: over(size => size.rates.piggyback + size.rates.gossip),
        },
      ],
    },
    {
      title: 'From a crash to its being known, median',
      unit: 'seconds',
      series: [
        { name: 'all know', colour: colours.blue, points: seconds(size => size.allKnowMs) },
        { name: 'first suspects', colour: colours.green, points: seconds(size => size.firstSuspectMs) },
        {
          name: 'shortest suspicion: 4 s × max(1, log10 n)',
          colour: colours.grey,
          points: over(size => suspicionSeconds(size.nodes)),
          isFormula: true,
        },
      ],
    },
    {
      title: 'Push/pull, sent by each node',
      unit: 'bytes per second',
      series: [{ name: 'whole states over TCP', colour: colours.blue, points: over(size => size.rates.pushPull) }],
    },
  ]
}

/** What a suspicion lasts at least; the members' own rule is in core/membership/suspicion.ts. */
function suspicionSeconds(nodes: number): number {
  return 4 * Math.max(1, Math.log10(nodes))
}

function drawPanel({ title, unit, series }: Panel): string {
  const points = series.flatMap(one => one.points)
  const xs = [...new Set(points.map(({ x }) => x))]
  const ticks = niceTicks(Math.max(...points.map(({ y }) => y)))
  const scale = scaleOf(xs, ticks.at(-1) ?? 1)
  return [
    text(box.left, 22, title, 'font-size="13" font-weight="600"'),
    ...series.map((one, i) => drawLegend(one, i)),
    ...ticks.map(tick => drawTick(tick, scale({ x: xs[0] ?? 1, y: tick }).y)),
    ...xs.map(x => text(scale({ x, y: 0 }).x, box.bottom + 16, String(x), 'text-anchor="middle"')),
    line(box.left, box.bottom, box.right, box.bottom, ink),
    text((box.left + box.right) / 2, box.bottom + 34, 'nodes (logarithmic)', 'text-anchor="middle"'),
    text(0, 0, unit, `text-anchor="middle" transform="translate(12 ${(box.top + box.bottom) / 2 + 12}) rotate(-90)"`),
    ...series.map(one => drawSeries(one, scale)),
  ].join('\n')
}

type Scale = (point: Point) => Point

function scaleOf(xs: readonly number[], top: number): Scale {
  const [least, most] = [Math.log10(Math.min(...xs)), Math.log10(Math.max(...xs))]
  const margin = 14
  const [left, right] = [box.left + margin, box.right - margin]
  const legendRoom = 26
  return ({ x, y }) => ({
    x: most === least ? (left + right) / 2 : left + ((Math.log10(x) - least) / (most - least)) * (right - left),
    y: box.bottom - (y / top) * (box.bottom - box.top - legendRoom),
  })
}

/** From nought to above the value, in steps of 1, 2 or 5 times a power of ten. */
export function niceTicks(most: number): readonly number[] {
  const rough = Math.max(most, 1) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5].find(times => times * power >= rough) ?? 10)
  return Array.from({ length: Math.ceil(Math.max(most, 1) / step) + 1 }, (_, i) => i * step)
}

function drawTick(value: number, y: number): string {
  const label = text(box.left - 6, y + 4, String(value), 'text-anchor="end"')
  return line(box.left, y, box.right, y, faint) + label
}

function drawLegend({ name, colour, isFormula }: Series, index: number): string {
  const y = 38 + 15 * index
  return line(box.left, y, box.left + 18, y, colour, isFormula) + text(box.left + 24, y + 4, name)
}

function drawSeries({ name, colour, points, isFormula }: Series, scale: Scale): string {
  const places = points.map(scale).map(({ x, y }) => `${fixed(x)},${fixed(y)}`)
  const dashes = isFormula === true ? ' stroke-dasharray="5 4"' : ''
  const path = `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`
  if (isFormula === true) return path
  const marks = points.map(point => {
    const { x, y } = scale(point)
    const told = escape(`${name}, ${point.x} nodes: ${Number(point.y.toFixed(1))}`)
    return `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="3.5" fill="${colour}"><title>${told}</title></circle>`
  })
  return [path, ...marks].join('\n')
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, isDashed = false): string {
  const dashes = isDashed ? ' stroke-dasharray="5 4"' : ''
  const ends = `x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}"`
  return `<line ${ends} stroke="${colour}" stroke-width="${colour === faint ? 1 : 2}"${dashes}/>`
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${ink}" ${attributes}>${escape(content)}</text>`
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)))
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
