import { describe, expect, test } from 'vitest'
import { toHex } from '../../kernel/bytes.ts'
import { nodeName } from '../../kernel/units.ts'
import type { GossipKey } from '../membership/index.ts'
import { decodeKeyMessage, encodeKeyMessage } from './key-messages.ts'
import type { KeyOperation } from './key-operation.ts'
import { createKeys } from './keys.ts'
import type { Keys, KeysInput, KeysSettings } from './keys.ts'

const [self, b, c] = [nodeName('a'), nodeName('b'), nodeName('c')]
const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const fingerprint = (key: GossipKey): string => toHex(key.subarray(0, 6))
const [fp1, fp2] = [fingerprint(one), fingerprint(two)]
const install: KeyOperation = { kind: 'install', key: two }

function keysWith(over: Partial<KeysSettings> = {}): Keys {
  return createKeys({ self, keyring: [one], enforced: true, fingerprint, ...over })
}

/** What it answers, messages in words. */
function tell(keys: Keys, input: KeysInput): readonly unknown[] {
  return keys.step(input).map(output => {
    if (output.kind === 'keep' || output.kind === 'use') return [output.kind, ...output.keyring.map(fingerprint)]
    if (output.kind !== 'send') return output
    const decoded = decodeKeyMessage(output.message)
    return { kind: 'send', to: output.to, message: decoded.ok ? decoded.value : decoded.error }
  })
}

function heard(operation: KeyOperation, id = 'q', via: 'packet' | 'stream' = 'stream'): KeysInput {
  return { kind: 'heard', via, bytes: encodeKeyMessage({ kind: 'request', id, from: b, operation }) }
}

const replyTo = (to: string, fingerprints: readonly string[], problem?: unknown, id = 'q'): object => ({
  kind: 'send',
  to,
  message: {
    kind: 'reply',
    id,
    from: self,
    reply: { fingerprints, ...(problem === undefined ? {} : { problem }) },
  },
})

describe('a request of our own', () => {
  test('is sent to all at once; our own ring is kept, then used, then answered for', () => {
    const keys = keysWith()
    const request = { kind: 'request', id: 'q', from: self, operation: install }
    expect(tell(keys, { kind: 'ask', id: 'q', operation: install, others: [b, c] })).toEqual([
      { kind: 'asked', id: 'q', nodes: [b, c] },
      { kind: 'send', to: b, message: request },
      { kind: 'send', to: c, message: request },
      ['keep', fp1, fp2],
    ])
    expect(tell(keys, { kind: 'kept' })).toEqual([
      ['use', fp1, fp2],
      { kind: 'reply', id: 'q', node: self, reply: { fingerprints: [fp1, fp2] } },
    ])
  })

  test('that we refuse ourselves is asked of nobody', () => {
    const operation: KeyOperation = { kind: 'remove', fingerprint: fp1 }
    expect(tell(keysWith(), { kind: 'ask', id: 'q', operation, others: [b, c] })).toEqual([
      { kind: 'asked', id: 'q', nodes: [] },
      {
        kind: 'reply',
        id: 'q',
        node: self,
        reply: { fingerprints: [fp1], problem: expect.stringContaining('primary') },
      },
    ])
  })

  test('is repeated to those who were silent, and not to ourselves', () => {
    expect(tell(keysWith(), { kind: 'askAgain', id: 'q', operation: install, others: [c] })).toEqual([
      { kind: 'send', to: c, message: { kind: 'request', id: 'q', from: self, operation: install } },
    ])
  })

  test('gets what the others answer', () => {
    const reply = { fingerprints: [fp1], problem: 'no' }
    const bytes = encodeKeyMessage({ kind: 'reply', id: 'q', from: c, reply })
    expect(tell(keysWith(), { kind: 'heard', via: 'stream', bytes })).toEqual([
      { kind: 'reply', id: 'q', node: c, reply },
    ])
  })
})

describe('a request of another node', () => {
  test('is answered once the ring is on the disk', () => {
    const keys = keysWith()
    expect(tell(keys, heard(install))).toEqual([['keep', fp1, fp2]])
    expect(tell(keys, { kind: 'kept' })).toEqual([['use', fp1, fp2], replyTo(b, [fp1, fp2])])
  })

  test('is refused when the disk does not take it, and the ring stays as it was', () => {
    const keys = keysWith()
    tell(keys, heard(install))
    expect(tell(keys, { kind: 'kept', problem: 'the disk is full' })).toEqual([replyTo(b, [fp1], 'the disk is full')])
    expect(tell(keys, heard({ kind: 'list' }, 'r'))).toEqual([replyTo(b, [fp1], undefined, 'r')])
  })

  test('that was refused for want of a disk may be repeated with success', () => {
    const keys = keysWith()
    tell(keys, heard(install))
    tell(keys, { kind: 'kept', problem: 'the disk is full' })
    expect(tell(keys, heard(install))).toEqual([['keep', fp1, fp2]])
  })

  test('waits for the one before it, and sees what that one did', () => {
    const keys = keysWith()
    expect(tell(keys, heard(install, '1'))).toHaveLength(1)
    expect(tell(keys, heard({ kind: 'use', fingerprint: fp2 }, '2'))).toEqual([])
    expect(tell(keys, heard({ kind: 'list' }, '3'))).toEqual([])
    expect(tell(keys, { kind: 'kept' })).toEqual([
      ['use', fp1, fp2],
      replyTo(b, [fp1, fp2], undefined, '1'),
      ['keep', fp2, fp1],
    ])
    expect(tell(keys, { kind: 'kept' })).toEqual([
      ['use', fp2, fp1],
      replyTo(b, [fp2, fp1], undefined, '2'),
      replyTo(b, [fp2, fp1], undefined, '3'),
    ])
  })

  test('that changes nothing touches no disk', () => {
    expect(tell(keysWith(), heard({ kind: 'use', fingerprint: fp1 }))).toEqual([replyTo(b, [fp1])])
  })

  test('that is repeated is answered again and applied once', () => {
    const keys = keysWith({ keyring: [one, two] })
    const remove: KeyOperation = { kind: 'remove', fingerprint: fp2 }
    tell(keys, heard(remove))
    tell(keys, { kind: 'kept' })
    expect(tell(keys, heard(remove))).toEqual([replyTo(b, [fp1])])
    expect(tell(keys, heard(remove, 'another'))).toEqual([
      replyTo(b, [fp1], expect.stringContaining('nothing to remove'), 'another'),
    ])
  })

  test('of a hundred at once all are answered, and what is too much is said', () => {
    const keys = keysWith()
    tell(keys, heard(install, 'first'))
    const refused = Array.from({ length: 100 }, (_, i) => tell(keys, heard({ kind: 'list' }, `${i}`))).flat()
    expect(refused).toHaveLength(68)
    expect(refused[0]).toEqual(replyTo(b, [fp1], expect.stringContaining('too many'), '32'))
    expect(tell(keys, { kind: 'kept' })).toHaveLength(2 + 32)
  })
})

describe('nothing is done in clear', () => {
  test.each([
    ['without keys', { keyring: [] }, install, 'gossip.key'],
    ['without keys, even a list', { keyring: [] }, { kind: 'list' } as const, 'gossip.key'],
    ['while gossip may be in clear', { enforced: false }, install, 'gossip.verifyIncoming'],
    ['without a keyring of its own', { fingerprint: undefined }, install, 'no keyring'],
  ])('%s a request is refused with what to do, and ours is sent to nobody', (_, over, operation, hint) => {
    const keys = keysWith(over)
    const problem = expect.stringContaining(hint)
    expect(tell(keys, heard(operation))).toMatchObject([{ to: b, message: { reply: { problem } } }])
    expect(tell(keys, { kind: 'ask', id: 'x', operation, others: [b] })).toMatchObject([
      { kind: 'asked', nodes: [] },
      { kind: 'reply', node: self, reply: { problem } },
    ])
  })

  test('while keys are being introduced they can be listed', () => {
    expect(tell(keysWith({ enforced: false }), heard({ kind: 'list' }))).toEqual([replyTo(b, [fp1])])
  })

  test('what comes in a packet is not a request', () => {
    expect(tell(keysWith(), heard(install, 'q', 'packet'))).toMatchObject([{ kind: 'refused', reason: 'plaintext' }])
  })

  test('what cannot be read is refused and answered by nobody', () => {
    const bytes = Uint8Array.of(0xc1, 6, 0x80)
    expect(tell(keysWith(), { kind: 'heard', via: 'stream', bytes })).toMatchObject([
      { kind: 'refused', reason: 'malformed' },
    ])
  })
})
