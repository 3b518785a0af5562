import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { createJournal, hopsMax, walksMax } from './journal.ts'
import type { Journal } from './journal.ts'

const key = 'shop:web@node-a#8'

function hopsOf(journal: Journal, text: string): readonly string[] {
  const found = journal.find(text)
  return found.kind === 'found' ? found.walk.hops.map(({ hop, atMs }) => `${atMs} ${hop}`) : [found.kind]
}

test('hops are told by their time, whenever they were marked', () => {
  const journal = createJournal(new VirtualClock())
  journal.mark(key, 'published', 20, 'unhealthy')
  journal.mark(key, 'sent', 90, 'first to 10.0.0.2:7946')
  journal.mark(key, 'decided', 20, 'unhealthy: exit 1')
  journal.mark(key, 'observed', 18, 'running, unhealthy')
  expect(hopsOf(journal, key)).toEqual(['18 observed', '20 decided', '20 published', '90 sent'])
})

test('the wall clock of a hop is worked out from how long ago it was', () => {
  const clock = new VirtualClock(5_000, 1_700_000_005_000)
  const journal = createJournal(clock)
  journal.mark(key, 'received', 4_500, 'by gossip')
  clock.advance(10_000)
  expect(journal.find(key)).toMatchObject({ walk: { hops: [{ atMs: 4_500, wallMs: 1_700_000_004_500 }] } })
})

describe('batches', () => {
  test('a document takes in what was planned, the poll after it what was documented, each once', () => {
    const journal = createJournal(new VirtualClock())
    journal.mark(key, 'planned', 1, '')
    journal.markWaiting('turned', 2, '')
    journal.markWaiting('served', 3, 'too early')
    journal.markWaiting('documented', 4, '')
    journal.markWaiting('documented', 5, 'another')
    journal.markWaiting('served', 6, '')
    journal.markWaiting('served', 7, 'again')
    expect(hopsOf(journal, key)).toEqual(['1 planned', '2 turned', '4 documented', '6 served'])
  })

  test('a walk that was never planned here waits for nothing', () => {
    const journal = createJournal(new VirtualClock())
    journal.mark(key, 'viewed', 1, '')
    for (const hop of ['turned', 'documented', 'served'] as const) journal.markWaiting(hop, 2, '')
    expect(hopsOf(journal, key)).toEqual(['1 viewed'])
  })
})

describe('bounds', () => {
  test('the walk marked longest ago goes first', () => {
    const journal = createJournal(new VirtualClock())
    for (let i = 1; i <= walksMax; i++) journal.mark(`shop:web@node-a#${i}`, 'received', i, '')
    journal.mark('shop:web@node-a#1', 'viewed', 9_000, '')
    journal.mark('shop:web@node-a#new', 'received', 9_001, '')
    expect(hopsOf(journal, 'shop:web@node-a#1')).toEqual(['1 received', '9000 viewed'])
    expect(hopsOf(journal, 'shop:web@node-a#2')).toEqual(['absent'])
    expect(hopsOf(journal, 'shop:web@node-a#3')).toEqual(['3 received'])
  })

  test('a walk that is gone no longer waits for a document', () => {
    const journal = createJournal(new VirtualClock())
    journal.mark(key, 'planned', 1, '')
    for (let i = 1; i <= walksMax; i++) journal.mark(`shop:db@node-a#${i}`, 'received', 2, '')
    journal.markWaiting('documented', 3, '')
    expect(hopsOf(journal, key)).toEqual(['absent'])
  })

  test('a walk that never ends keeps its beginning', () => {
    const journal = createJournal(new VirtualClock())
    journal.mark(key, 'received', 0, '')
    for (let i = 1; i <= 2 * hopsMax; i++) journal.mark(key, 'viewed', i, '')
    const hops = hopsOf(journal, key)
    expect(hops).toHaveLength(hopsMax)
    expect(hops[0]).toBe('0 received')
  })
})

test('the same revision published anew is the walk of the next run of that agent', () => {
  const journal = createJournal(new VirtualClock())
  journal.mark(key, 'received', 1, '')
  journal.mark(key, 'viewed', 2, '')
  journal.mark(key, 'received', 100, '')
  expect(hopsOf(journal, key)).toEqual(['100 received'])
})

test('without a revision the walk that began last is meant, even when an older one was marked since', () => {
  const journal = createJournal(new VirtualClock())
  journal.mark('shop:web@node-a#8', 'received', 1, '')
  journal.mark('shop:web@node-a#9', 'received', 2, '')
  journal.mark('shop:web@node-a#8', 'viewed', 3, '')
  expect(journal.find('web@node-a')).toMatchObject({ walk: { key: 'shop:web@node-a#9' } })
})
