import { describe, expect, test } from 'vitest'
import { memoryStateFiles } from '../adapters/memory/state-files.ts'
import { ConstellationError } from '../kernel/errors.ts'
import type { StateFiles } from '../ports/state-files.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { createKeyringFile, parseKey } from './keyring-file.ts'

const name = 'gossip-keyring.json'
const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(16).fill(2)]

function keyringFile(files: StateFiles, firstKey?: Uint8Array) {
  const log = recordingLog()
  return { log, ...createKeyringFile({ files, name, firstKey, log }) }
}

test('what was kept is loaded again, in its order', async () => {
  const files = memoryStateFiles()
  await keyringFile(files).keep([two, one])
  expect(await keyringFile(files).load()).toEqual([two, one])
  expect(JSON.parse((await files.read(name)) ?? '')).toEqual({
    version: 1,
    keys: ['AgICAgICAgICAgICAgICAg==', 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE='],
  })
})

test('without a file and a configured key there is no key, and no file is made', async () => {
  const files = memoryStateFiles()
  expect(await keyringFile(files).load()).toEqual([])
  expect(await files.read(name)).toBeUndefined()
})

test('the configured key begins the file, and never changes it again', async () => {
  const files = memoryStateFiles()
  expect(await keyringFile(files, one).load()).toEqual([one])
  expect(await keyringFile(files).load()).toEqual([one])
  const later = keyringFile(files, two)
  expect(await later.load()).toEqual([one])
  expect(later.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('is not used') }])
})

test('a disk that takes nothing does not keep a node with a configured key from starting', async () => {
  const full = new ConstellationError('STATE_UNWRITABLE', 'cannot write')
  const file = keyringFile({ read: () => Promise.resolve(undefined), write: () => Promise.reject(full) }, one)
  expect(await file.load()).toEqual([one])
  expect(file.log.lines).toMatchObject([{ level: 'warn' }])
  await expect(file.keep([one, two])).rejects.toBe(full)
})

describe('a file that does not hold keys ends the start: gossip would be in clear', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['no object', '7'],
    ['a later version', '{"version":2,"keys":["AgICAgICAgICAgICAgICAg=="]}'],
    ['no keys', '{"version":1,"keys":[]}'],
    ['a key that was cut', '{"version":1,"keys":["AgICAgICAgICAgICAgICA"]}'],
    ['a key of 5 bytes', '{"version":1,"keys":["AgICAgI="]}'],
    ['a good and a bad key', '{"version":1,"keys":["AgICAgICAgICAgICAgICAg==",7]}'],
    ['nine keys', JSON.stringify({ version: 1, keys: Array(9).fill('AgICAgICAgICAgICAgICAg==') })],
  ])('%s', async (_, text) => {
    const files = memoryStateFiles()
    await files.write(name, text)
    await expect(keyringFile(files, one).load()).rejects.toMatchObject({ code: 'KEYRING_MALFORMED' })
  })
})

test.each(['', 'AgICAgICAgICAgICAgICAg', 'AgICAgICAgICAgICAgICAg==\n', 'AgICAgICAgICAgICAgICAh==', '!!!!'])(
  '%j is no key',
  text => {
    expect(parseKey(text)).toBeUndefined()
  },
)
