import { expect, test } from 'vitest'
import type { Member } from '../core/membership/index.ts'
import { formatAddress } from '../kernel/units.ts'
import type { Address } from '../kernel/units.ts'
import { aMember } from '../testing/builders.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { createSeedKeeper, isOwnSeed } from './cluster-seeds.ts'

const self: Address = { ip: '10.0.0.1', port: 7946 }
const at = (last: number): Address => ({ ip: `10.0.0.${last}`, port: 7946 })

function lab(seeds: readonly string[], remembered: readonly Address[] = []) {
  const clock = new VirtualClock()
  const log = recordingLog()
  const joins: string[] = []
  const members: Member[] = []
  /** Names and what they mean at the moment. */
  const names = new Map<string, readonly Address[]>()
  const keeper = createSeedKeeper(
    { seeds, own: [self] },
    {
      clock,
      log,
      resolveSeed: text =>
        names.has(text) ? Promise.resolve(names.get(text) ?? []) : Promise.reject(new Error('no such name')),
      others: () => members,
      remembered: () => remembered,
      join: addresses => joins.push(...addresses.map(address => `${clock.now()} ${formatAddress(address)}`)),
    },
  )
  /** Every attempt fails a little later. */
  const failAll = (): void => {
    for (const join of joins) {
      const [, ip = '', port = ''] = /^\d+ (.*):(\d+)$/.exec(join) ?? []
      keeper.joinFinished({ ip, port: Number(port) }, false, 'ECONNREFUSED')
    }
  }
  return {
    clock,
    log,
    joins,
    members,
    names,
    keeper,
    failAll,
    warnings: () => log.lines.filter(line => line.level === 'warn'),
  }
}

test('alone, seeds and remembered peers are tried at once and then ever more rarely, up to 30 s', async () => {
  const { clock, joins, names, keeper, failAll } = lab(['b'], [at(3)])
  names.set('b', [at(2)])
  keeper.start()
  for (let half = 0; half < 200; half++) {
    await clock.advanceAsync(500, 500)
    failAll()
  }
  const timesOf = (address: Address): readonly number[] =>
    joins.filter(join => join.endsWith(formatAddress(address))).map(join => Number(join.split(' ')[0]))
  expect(timesOf(at(2))).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000])
  expect(timesOf(at(3))).toEqual(timesOf(at(2)))
})

test('what is being tried is not tried twice at a time', async () => {
  const { clock, joins, names, keeper } = lab(['b', 'b-too'])
  names.set('b', [at(2)]).set('b-too', [at(2)])
  keeper.start()
  await clock.advanceAsync(10_000, 500)
  expect(joins).toEqual(['0 10.0.0.2:7946'])
})

test('in company only a seed that no member answers for is tried, every 30 s', async () => {
  const { clock, joins, members, names, keeper, failAll } = lab(['b', 'c'], [at(4)])
  names.set('b', [at(2)]).set('c', [at(3)])
  members.push(aMember({ name: 'b', address: at(2) }))
  keeper.start()
  for (let round = 0; round < 12; round++) {
    await clock.advanceAsync(7_000, 1_000)
    failAll()
  }
  expect(joins).toEqual(['0 10.0.0.3:7946', '30000 10.0.0.3:7946', '60000 10.0.0.3:7946'])
})

test('a seed that is ourselves is left alone', async () => {
  const { clock, joins, names, keeper, warnings } = lab(['me'])
  names.set('me', [self])
  keeper.start()
  await clock.advanceAsync(60_000, 1_000)
  expect([joins, warnings()]).toEqual([[], []])
})

test('a name is resolved anew each time, trouble is told once, and a new trouble again', async () => {
  const { clock, joins, names, keeper, failAll, warnings } = lab(['b'])
  keeper.start()
  await clock.advanceAsync(20_000, 500)
  expect(warnings()).toMatchObject([{ message: 'cannot resolve a seed, trying again', fields: { seed: 'b' } }])
  names.set('b', [at(9)])
  await clock.advanceAsync(20_000, 500)
  expect(joins).toEqual(['31000 10.0.0.9:7946'])
  failAll()
  failAll()
  expect(warnings()).toHaveLength(2)
})

test('after stop nothing is tried any more, not even what is being resolved', async () => {
  const { clock, joins, names, keeper } = lab(['b'])
  names.set('b', [at(2)])
  keeper.start()
  keeper.stop()
  await clock.advanceAsync(60_000, 1_000)
  expect([joins, clock.pendingTimers]).toEqual([[], 0])
})

test.each([
  ['10.0.0.1', true],
  ['10.0.0.1:7946', true],
  ['10.0.0.1:7947', false],
  ['10.0.0.2', false],
  ['node-a', false],
])('the seed %s is ourselves by its text: %s', (seed, expected) => {
  expect(isOwnSeed(seed, [{ ip: '10.0.0.1', port: 7946 }])).toBe(expected)
})
