import { expect, test } from 'vitest'
import { memoryStateFiles } from '../adapters/memory/state-files.ts'
import { ConstellationError } from '../kernel/errors.ts'
import type { StateFiles } from '../ports/state-files.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { VirtualClock, settle } from '../testing/virtual-clock.ts'
import { createEpochKeeper } from './cluster-epoch.ts'
import { createPeerList } from './cluster-peers.ts'
import { createKeptFile } from './kept-file.ts'

/** State files whose disk can be full, and which count what was written. */
function lab() {
  const memory = memoryStateFiles()
  const clock = new VirtualClock()
  const log = recordingLog()
  const disk = { full: false, writes: [] as string[] }
  const stateFiles: StateFiles = {
    read: name => memory.read(name),
    write(name, text) {
      if (disk.full) return Promise.reject(new ConstellationError('STATE_UNWRITABLE', 'no space left'))
      disk.writes.push(text)
      return memory.write(name, text)
    },
  }
  return { clock, log, disk, stateFiles, warnings: () => log.lines.filter(({ level }) => level === 'warn') }
}

test('many changes are one write, the last one, after the interval', async () => {
  const { clock, disk, ...ports } = lab()
  const file = createKeptFile({ name: 'x', intervalMs: 5_000 }, { clock, ...ports })
  for (const text of ['1', '2', '3']) file.keep(text)
  await clock.advanceAsync(4_990)
  expect(disk.writes).toEqual([])
  await clock.advanceAsync(10)
  expect(disk.writes).toEqual(['3'])
  file.keep('3')
  await clock.advanceAsync(60_000, 1_000)
  expect(disk.writes).toEqual(['3'])
})

test('a full disk is warned about once and tried again, until there is room', async () => {
  const { clock, disk, warnings, ...ports } = lab()
  const file = createKeptFile({ name: 'x', intervalMs: 0 }, { clock, ...ports })
  disk.full = true
  file.keep('1')
  await clock.advanceAsync(100_000, 1_000)
  expect(warnings()).toHaveLength(1)
  disk.full = false
  await clock.advanceAsync(31_000, 1_000)
  expect(disk.writes).toEqual(['1'])
})

test('after stop nothing is written unless asked for', async () => {
  const { clock, disk, ...ports } = lab()
  const file = createKeptFile({ name: 'x', intervalMs: 1_000 }, { clock, ...ports })
  file.keep('1')
  file.stop()
  file.keep('2')
  await clock.advanceAsync(5_000, 100)
  expect([disk.writes, clock.pendingTimers]).toEqual([[], 0])
  expect(await file.flush()).toBe(true)
  expect(disk.writes).toEqual(['2'])
})

test('every start has a higher epoch, on disk before it is used', async () => {
  const ports = lab()
  for (const wanted of [1, 2, 3]) {
    expect(await createEpochKeeper(ports).begin()).toBe(wanted)
    expect(await ports.stateFiles.read('epoch.json')).toBe(`{"epoch":${wanted}}\n`)
  }
})

test('an epoch that peers made us raise is what the next start counts from', async () => {
  const ports = lab()
  const keeper = createEpochKeeper(ports)
  await keeper.begin()
  keeper.raise(41)
  await keeper.stop()
  expect(await createEpochKeeper(ports).begin()).toBe(42)
})

test('while the disk is full the clock gives the epoch, different at every start, and it is kept once there is room', async () => {
  const ports = lab()
  const { clock, disk } = ports
  await createEpochKeeper(ports).begin()
  disk.full = true
  const earlier = createEpochKeeper(ports)
  const first = await earlier.begin()
  await earlier.stop()
  await clock.advanceAsync(2_000, 100)
  const keeper = createEpochKeeper(ports)
  const second = await keeper.begin()
  expect([first, second]).toEqual([1_700_000_000, 1_700_000_002])
  disk.full = false
  await clock.advanceAsync(31_000, 1_000)
  await keeper.stop()
  expect(await createEpochKeeper(ports).begin()).toBe(second + 1)
})

test.each(['', 'garbage', '{"epoch":"7"}', '{"epoch":-1}', '{"epoch":1.5}', '[]', 'null'])(
  'an epoch file that says %j does not start the count anew',
  async text => {
    const ports = lab()
    await ports.stateFiles.write('epoch.json', text)
    expect(await createEpochKeeper(ports).begin()).toBe(1_700_000_000)
  },
)

test.each(['', 'garbage', '{}', '[1, null, {"name":"b"}, {"name":"b","ip":"10.0.0.2","port":0}]'])(
  'a peer list that says %j is an empty one',
  async text => {
    const ports = lab()
    await ports.stateFiles.write('peers.json', text)
    const peers = createPeerList(ports)
    await peers.load()
    await settle()
    expect(peers.addresses()).toEqual([])
  },
)
