import { expect, test } from 'vitest'
import { authoritiesOf } from './authority.ts'
import { createSimDisk, soundDisk } from './disk.ts'
import type { DiskFaults, SimDisk } from './disk.ts'
import { readText, replaceFile, simStateFiles } from './state-files.ts'
import { createSimTime } from './time.ts'

function lab(seed = 1, faults: DiskFaults = soundDisk) {
  const time = createSimTime()
  return { time, disk: createSimDisk(time, authoritiesOf(seed)('disk'), faults) }
}

/** A file of one byte repeated, on the platter with its name. */
function keep({ time, disk }: ReturnType<typeof lab>, name: string, length: number, byte: number): void {
  disk.create(name)
  disk.write(name, 0, new Uint8Array(length).fill(byte))
  disk.sync(name, () => undefined)
  disk.syncNames(() => undefined)
  time.run(10)
}

/** What is left of a change that was not synced, over many crashes. */
function leftovers(change: (disk: SimDisk) => void): ReadonlySet<string> {
  const found = new Set<string>()
  for (let seed = 1; seed <= 200; seed++) {
    const here = lab(seed)
    keep(here, 'log', 1_024, 1)
    change(here.disk)
    here.disk.crash()
    found.add((here.disk.read('log') ?? new Uint8Array(0)).filter((_, i) => i % 512 === 0).join(''))
  }
  return found
}

test('what was synced is there after every crash', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const here = lab(seed)
    keep(here, 'log', 700, 7)
    here.disk.crash()
    expect(here.disk.read('log')).toEqual(new Uint8Array(700).fill(7))
  }
})

test('what was not synced is visible, and after a crash there, lost or torn at a sector', () => {
  const found = leftovers(disk => disk.write('log', 0, new Uint8Array(1_024).fill(2)))
  expect([...found].sort()).toEqual(['11', '21', '22'])
})

test('of several writes a crash keeps the first few, or any', () => {
  const found = leftovers(disk => {
    disk.write('log', 0, new Uint8Array(512).fill(2))
    disk.write('log', 512, new Uint8Array(512).fill(3))
  })
  expect([...found].sort()).toEqual(['11', '13', '21', '23'])
})

test('a new name is lost with the power until the names are synced, whatever its content', () => {
  const outcomes = new Set<string | undefined>()
  for (let seed = 1; seed <= 50; seed++) {
    const { time, disk } = lab(seed)
    disk.create('a')
    disk.write('a', 0, Uint8Array.of(65))
    disk.sync('a', () => undefined)
    time.run(10)
    disk.crash()
    outcomes.add(readText(disk, 'a'))
  }
  expect(outcomes).toEqual(new Set([undefined, 'A']))
})

test('a replaced file is the old or the new one after any crash at any moment, never a mixture', () => {
  const outcomes = new Set<string | undefined>()
  for (let seed = 1; seed <= 300; seed++) {
    const { time, disk } = lab(seed, { syncMs: [1, 20], syncFailure: 0 })
    replaceFile(disk, 'epoch.json', 'o'.repeat(2_000), () => undefined)
    time.run(100)
    let isDone = false
    replaceFile(disk, 'epoch.json', 'n'.repeat(3_000), () => (isDone = true))
    time.run(seed % 50)
    disk.crash()
    const text = readText(disk, 'epoch.json')
    if (isDone) expect(text).toBe('n'.repeat(3_000))
    outcomes.add(text)
  }
  expect(outcomes).toEqual(new Set(['o'.repeat(2_000), 'n'.repeat(3_000)]))
})

test('a sync may stall; with the power gone it never answers', () => {
  const { time, disk } = lab(1, { syncMs: [5_000, 5_000], syncFailure: 0 })
  const answers: boolean[] = []
  disk.create('a')
  disk.sync('a', ok => answers.push(ok))
  time.run(4_999)
  expect(answers).toEqual([])
  time.run(1)
  expect(answers).toEqual([true])
  disk.sync('a', ok => answers.push(ok))
  disk.crash()
  time.run(10_000)
  expect(answers).toEqual([true])
})

test('a failed sync says so, and a later good one does not save what it lost', () => {
  const here = lab()
  keep(here, 'log', 512, 1)
  here.disk.faults = { ...soundDisk, syncFailure: 1 }
  const answers: boolean[] = []
  here.disk.write('log', 0, new Uint8Array(512).fill(2))
  here.disk.sync('log', ok => answers.push(ok))
  here.time.run(10)
  here.disk.faults = soundDisk
  here.disk.sync('log', ok => answers.push(ok))
  here.time.run(10)
  expect(answers).toEqual([false, true])
  expect(here.disk.read('log')?.[0]).toBe(2)
  here.disk.crash()
  expect(here.disk.read('log')?.[0]).toBe(1)
})

test('state files on a failing disk reject and keep the old text', async () => {
  const here = lab()
  replaceFile(here.disk, 'epoch.json', 'old', () => undefined)
  here.time.run(10)
  here.disk.faults = { ...soundDisk, syncFailure: 1 }
  const files = simStateFiles(here.disk)
  const written = files.write('epoch.json', 'new')
  const refusal = expect(written).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
  await Promise.resolve().then(() => undefined)
  here.time.run(10)
  await refusal
  expect(await files.read('epoch.json')).toBe('old')
})

test('one bit of a file can turn, for good; of an absent file none', () => {
  const here = lab()
  keep(here, 'log', 100, 0)
  expect([here.disk.flipBit('log'), here.disk.flipBit('other')]).toEqual([true, false])
  const changed = here.disk.read('log')?.filter(byte => byte !== 0)
  expect(changed).toHaveLength(1)
  here.disk.crash()
  expect(here.disk.read('log')?.filter(byte => byte !== 0)).toEqual(changed)
})

test('another disk holds nothing', () => {
  const here = lab()
  keep(here, 'log', 100, 1)
  here.disk.lose()
  expect([here.disk.names(), here.disk.read('log')]).toEqual([[], undefined])
})
