import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keyFingerprint } from '../adapters/node/key-fingerprint.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { openGossipSecurity } from './gossip-security.ts'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'constellation-keyring-'))
})

afterEach(() => rm(directory, { recursive: true }))

const key = Buffer.alloc(32, 7)
const strict = { verifyIncoming: true, verifyOutgoing: true }

test('the first start keeps the configured key, a later one needs it no more', async () => {
  const keyringFile = join(directory, 'secrets', 'ring.json')
  const log = recordingLog()
  const first = await openGossipSecurity({ keyringFile, key: key.toString('base64'), ...strict }, log)
  expect(first.security).toMatchObject({ keyring: [new Uint8Array(key)], ...strict })
  const { security } = await openGossipSecurity({ keyringFile, key: undefined, ...strict }, log)
  expect(security?.keyring).toEqual([new Uint8Array(key)])
  const sealed = first.security?.cipher.seal(key, new Uint8Array(3), new Uint8Array()) ?? new Uint8Array()
  expect(security?.cipher.open(key, sealed, new Uint8Array())).toEqual(new Uint8Array(3))
})

test('what is kept is there at the next start', async () => {
  const settings = { keyringFile: join(directory, 'ring.json'), key: undefined, ...strict }
  const { keyKeeper } = await openGossipSecurity(settings, recordingLog())
  await keyKeeper?.keep([new Uint8Array(16), new Uint8Array(key)])
  const { security } = await openGossipSecurity(settings, recordingLog())
  expect(security?.keyring).toEqual([new Uint8Array(16), new Uint8Array(key)])
})

test('without a key gossip is in clear, and the log says so; with one it names the key and never shows it', async () => {
  const settings = { keyringFile: join(directory, 'ring.json'), ...strict }
  const clear = recordingLog()
  expect((await openGossipSecurity({ ...settings, key: undefined }, clear)).security).toBeUndefined()
  expect(clear.lines).toMatchObject([{ level: 'info', message: expect.stringContaining('gossip is in clear') }])
  const encrypted = recordingLog()
  await openGossipSecurity({ ...settings, key: key.toString('base64') }, encrypted)
  expect(encrypted.lines).toMatchObject([{ message: 'gossip is encrypted', fields: { keys: [keyFingerprint(key)] } }])
  expect(JSON.stringify(encrypted.lines)).not.toContain(key.toString('base64'))
})
