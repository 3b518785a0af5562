import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { recordingLog } from '../../testing/recording-log.ts'
import { identify } from '../process/process-table.ts'
import { createDataDirLock, type DataDirLock } from './data-dir-lock.ts'

const lockOf = (path: string): DataDirLock => createDataDirLock(path, recordingLog())

let directory = ''
let file = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'constellation-lock-'))
  file = join(directory, 'agent.lock')
})

afterEach(() => rm(directory, { recursive: true }))

test('a free directory is taken and given back, and holds nothing else meanwhile', async () => {
  const lock = lockOf(directory)
  await lock.acquire()
  expect(await readdir(directory)).toEqual(['agent.lock'])
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(identify(process.pid))
  await lock.release()
  expect(await readdir(directory)).toEqual([])
})

test('a directory that is not there yet is made', async () => {
  const lock = lockOf(join(directory, 'new', 'data'))
  await lock.acquire()
  expect(await readdir(join(directory, 'new', 'data'))).toEqual(['agent.lock'])
})

test('while another process holds it the error names the directory, that process and the remedy', async () => {
  const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)'], { stdio: 'ignore' })
  try {
    const text = JSON.stringify(identify(holder.pid ?? 0))
    await writeFile(file, text)
    const lock = lockOf(directory)
    await expect(lock.acquire()).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: `another agent (pid ${holder.pid}) uses the data directory ${directory}`,
      hint: expect.stringContaining('--data-dir'),
    })
    await lock.release()
    expect(await readFile(file, 'utf8')).toBe(text)

    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await lock.acquire()
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid })
  } finally {
    holder.kill('SIGKILL')
  }
})

test.each([
  ['of an earlier process with our pid', JSON.stringify({ pid: process.pid, startTicks: 1, bootId: 'earlier' })],
  ['that a power cut left empty', ''],
  ['that is no lock', '{"pid": "many"}'],
])('a lock %s is taken over', async (_, text) => {
  await writeFile(file, text)
  await lockOf(directory).acquire()
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(identify(process.pid))
  expect(await readdir(directory)).toEqual(['agent.lock'])
})

test.each<[string, string?, string?]>([
  ['a free directory'],
  ['a stale lock', ''],
  ['a stale lock that somebody died over', '', ''],
])('of many that want %s at once one gets it', async (_, text, takeover) => {
  if (text !== undefined) await writeFile(file, text)
  if (takeover !== undefined) await writeFile(`${file}.takeover`, takeover)
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockOf(directory).acquire()))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await readdir(directory)).toEqual(['agent.lock'])
})

test('a place where nothing can be written is named', async () => {
  await symlink(join(directory, 'unmounted', 'disk'), join(directory, 'data'))
  await expect(lockOf(join(directory, 'data')).acquire()).rejects.toMatchObject({
    code: 'STATE_UNWRITABLE',
    message: `cannot write ${join(directory, 'data', 'agent.lock')}`,
  })
})
