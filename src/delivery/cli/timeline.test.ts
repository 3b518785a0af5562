import { describe, expect, test } from 'vitest'
import type { Millis } from '../../kernel/units.ts'
import { estimateClock, timelineOf, type Sample, type Trace } from './timeline.ts'

type HopName = Trace['hops'][number]['hop']

function aTrace(node: string, nowMs: Millis, hops: readonly (readonly [HopName, Millis])[] = [], wallNowMs = 0): Trace {
  const key = 'shop:web@a#8'
  return { node, nowMs, wallNowMs, key, hops: hops.map(([hop, atMs]) => ({ hop, atMs, wallMs: atMs, detail: hop })) }
}

function aSample(askedAtMs: Millis, answeredAtMs: Millis, nowMs: Millis, wallNowMs = 0, wallMs = 0): Sample {
  return { askedAtMs, answeredAtMs, wallMs, trace: aTrace('a', nowMs, [], wallNowMs) }
}

describe('clocks', () => {
  test.each([
    ['an instant answer', [aSample(100, 100, 5_100)], 5_000, 0],
    ['half of the round trip is the doubt', [aSample(100, 140, 5_120)], 5_000, 20],
    ['a clock behind ours', [aSample(9_000, 9_010, 5)], -9_000, 5],
    [
      'the quickest answer knows best',
      [aSample(0, 90, 5_080), aSample(100, 104, 5_102), aSample(200, 220, 5_230)],
      5_000,
      2,
    ],
  ] as const)('%s', (_, samples, offsetMs, uncertaintyMs) => {
    expect(estimateClock(samples)).toMatchObject({ offsetMs, uncertaintyMs })
  })

  test('wall clocks are compared at the middle of the round trip, too', () => {
    const sample = aSample(100, 140, 0, 1_700_000_003_000, 1_700_000_000_020)
    expect(estimateClock([sample]).wallAheadMs).toBe(3_000)
  })
})

const exactly = { wallAheadMs: 0, uncertaintyMs: 0 }

describe('the timeline', () => {
  test('puts the hops of nodes whose clocks have nothing in common in one order', () => {
    const a = aTrace('a', 0, [
      ['observed', 1_000],
      ['published', 1_002],
      ['sent', 1_050],
    ])
    const b = aTrace('b', 0, [
      ['received', 71_055],
      ['documented', 71_255],
      ['served', 71_900],
    ])
    const timeline = timelineOf([
      { trace: b, clock: { ...exactly, offsetMs: 70_000 } },
      { trace: a, clock: { ...exactly, offsetMs: 0 } },
    ])
    expect(
      timeline?.entries.map(({ node, hop, sinceFirstMs, sincePreviousMs }) => [
        node,
        hop,
        sinceFirstMs,
        sincePreviousMs,
      ]),
    ).toEqual([
      ['a', 'observed', 0, 0],
      ['a', 'published', 2, 2],
      ['a', 'sent', 50, 48],
      ['b', 'received', 55, 5],
      ['b', 'documented', 255, 200],
      ['b', 'served', 900, 645],
    ])
    expect(timeline?.entries.filter(({ slowest }) => slowest).map(({ hop }) => hop)).toEqual(['served'])
    expect(timeline).toMatchObject({ key: 'shop:web@a#8', totalMs: 900, last: { node: 'b', hop: 'served' } })
  })

  test('the total ends at the last poll, not at what happened to the instance later', () => {
    const b = aTrace('b', 0, [
      ['received', 0],
      ['served', 700],
      ['viewed', 60_000],
    ])
    expect(timelineOf([{ trace: b, clock: { ...exactly, offsetMs: 0 } }])).toMatchObject({ totalMs: 700 })
  })

  test.each([
    ['as far as the clocks may be wrong, nothing is received before it was published', 4, 3, 12],
    ['beyond that the clocks are shown as they are', 1, 1, 7],
  ])('%s', (_, uncertaintyOfA, uncertaintyOfB, receivedAtMs) => {
    const a = aTrace('a', 0, [
      ['observed', 0],
      ['published', 12],
    ])
    const b = aTrace('b', 0, [['received', 5]])
    const timeline = timelineOf([
      { trace: a, clock: { offsetMs: 0, uncertaintyMs: uncertaintyOfA, wallAheadMs: 0 } },
      { trace: b, clock: { offsetMs: 0, uncertaintyMs: uncertaintyOfB, wallAheadMs: 0 } },
    ])
    expect(timeline?.entries.find(({ hop }) => hop === 'received')?.sinceFirstMs).toBe(receivedAtMs)
  })

  test('no hop, no timeline', () => {
    expect(timelineOf([{ trace: aTrace('a', 0), clock: { ...exactly, offsetMs: 0 } }])).toBeUndefined()
  })
})
