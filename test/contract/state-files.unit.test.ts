import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { diskStateFiles } from '../../src/adapters/disk/state-files.ts'
import { memoryStateFiles } from '../../src/adapters/memory/state-files.ts'
import type { StateFiles } from '../../src/ports/state-files.ts'
import { authoritiesOf } from '../../src/testing/sim/authority.ts'
import { createSimDisk } from '../../src/testing/sim/disk.ts'
import { simStateFiles } from '../../src/testing/sim/state-files.ts'
import { createSimTime } from '../../src/testing/sim/time.ts'
import { settle } from '../../src/testing/virtual-clock.ts'
import { stateFilesContract } from './state-files.ts'

const directories: string[] = []

async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'constellation-state-'))
  directories.push(directory)
  return directory
}

afterAll(() => Promise.all(directories.map(directory => rm(directory, { recursive: true, force: true }))))

stateFilesContract('memory', () => Promise.resolve(memoryStateFiles()))
stateFilesContract('simulated disk', () => Promise.resolve(simulatedFiles()))
stateFilesContract('disk', async () => diskStateFiles(join(await aDirectory(), 'made', 'on', 'demand')))

test('on disk only their owner may look, and nothing temporary is left', async () => {
  const directory = join(await aDirectory(), 'data')
  const files = diskStateFiles(directory)
  await mkdir(directory, { mode: 0o700 })
  await writeFile(join(directory, 'epoch.json.tmp'), 'left by a crash', { mode: 0o644 })
  await files.write('epoch.json', '{}')
  expect(await readdir(directory)).toEqual(['epoch.json'])
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
  expect((await stat(join(directory, 'epoch.json'))).mode & 0o777).toBe(0o600)
})

test('a file that is there but cannot be read is an error, not an absence', async () => {
  const directory = await aDirectory()
  await mkdir(join(directory, 'epoch.json'))
  await expect(diskStateFiles(directory).read('epoch.json')).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
})

test('a failed write says so, leaves the old text, and the next one may succeed', async () => {
  const directory = await aDirectory()
  const files = diskStateFiles(directory)
  await files.write('epoch.json', 'old')
  // A directory in the way fails for root too, which permissions do not.
  await mkdir(join(directory, 'epoch.json.tmp', 'x'), { recursive: true })
  await expect(files.write('epoch.json', 'new')).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
  expect(await files.read('epoch.json')).toBe('old')
  await rm(join(directory, 'epoch.json.tmp'), { recursive: true })
  await chmod(directory, 0o700)
  await files.write('epoch.json', 'new')
  expect(await files.read('epoch.json')).toBe('new')
})

/** Whose virtual time runs on while somebody waits for a write. */
function simulatedFiles(): StateFiles {
  const time = createSimTime()
  const files = simStateFiles(createSimDisk(time, authoritiesOf(1)('disk'), { syncMs: [0, 5_000], syncFailure: 0 }))
  return {
    read: name => files.read(name),
    async write(name, text) {
      const written = files.write(name, text)
      // Enough for twenty writes that wait for each other.
      for (let round = 0; round < 60; round++) {
        await settle()
        time.run(5_000)
      }
      return written
    },
  }
}
