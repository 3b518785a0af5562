import { expect, test } from 'vitest'
import { summarise } from '../statistics.ts'
import { niceTicks, plotScaling } from './plot.ts'
import type { ScalingSize } from './scaling.ts'

function aSize(nodes: number, over: Partial<ScalingSize> = {}): ScalingSize {
  const rates = { probes: 111, piggyback: 2, gossip: 14, pushPull: nodes, packets: 2 }
  return {
    nodes,
    runs: 1,
    minutesPerRun: 60,
    crashesPerRun: 10,
    rates,
    quietRates: rates,
    firstSuspectMs: summarise([1_700]),
    firstDeadMs: summarise([5_700]),
    allKnowMs: summarise([6_000 + nodes]),
    falsePositives: 0,
    wallSecondsPerRun: 1,
    ...over,
  }
}

const sizes = [10, 100, 1_000].map(nodes => aSize(nodes))

/** Names of the elements in order; throws when one is not closed by its own name. */
function elementsOf(svg: string): readonly string[] {
  const names: string[] = []
  const open: string[] = []
  for (const [, closing, name = '', selfClosed] of svg.matchAll(/<(\/?)([a-z]+)(?:\s+[\w:-]+="[^"<&]*")*\s*(\/?)>/g)) {
    if (closing === '/') expect(open.pop()).toBe(name)
    else {
      names.push(name)
      if (selfClosed === '') open.push(name)
    }
  }
  expect(open).toEqual([])
  return names
}

test('the plot is well-formed, and all that is no element is text', () => {
  const svg = plotScaling(sizes)
  expect(elementsOf(svg)[0]).toBe('svg')
  expect(elementsOf(svg).length).toBe([...svg.matchAll(/<[a-z]/g)].length)
  expect(svg.replaceAll(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/)
})

test('every measured point is on it, with its figure', () => {
  const svg = plotScaling(sizes)
  for (const nodes of [10, 100, 1_000]) {
    expect(svg).toContain(`probes, ${nodes} nodes: 111<`)
    expect(svg).toContain(`news, on probes and alone, ${nodes} nodes: 16<`)
    expect(svg).toContain(`all know, ${nodes} nodes: ${Number(((6_000 + nodes) / 1_000).toFixed(1))}<`)
    expect(svg).toContain(`first suspects, ${nodes} nodes: 1.7<`)
    expect(svg).toContain(`whole states over TCP, ${nodes} nodes: ${nodes}<`)
  }
  expect(elementsOf(svg).filter(name => name === 'circle')).toHaveLength(3 * 5)
})

test('points lie within the drawing, further right with more nodes and higher with more bytes', () => {
  const svg = plotScaling(sizes)
  const pushPull = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"[^>]*><title>whole/g)]
  const [xs, ys] = [pushPull.map(match => Number(match[1])), pushPull.map(match => Number(match[2]))]
  expect(xs).toEqual([...xs].sort((a, b) => a - b))
  expect(ys).toEqual([...ys].sort((a, b) => b - a))
  expect(Math.min(...ys)).toBeGreaterThan(0)
})

test('one size alone can be drawn', () => {
  expect(plotScaling([aSize(30)])).not.toMatch(/NaN|Infinity/)
})

test('it needs nothing from outside', () => {
  expect(plotScaling(sizes).replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|url\(|href/)
})

test.each([
  [0, [0, 0.5, 1]],
  [9, [0, 5, 10]],
  [111, [0, 50, 100, 150]],
  [1_800, [0, 500, 1_000, 1_500, 2_000]],
])('an axis up to %f has ticks at %j', (most, ticks) => {
  expect(niceTicks(most)).toEqual(ticks)
})
