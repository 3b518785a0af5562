import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { serviceId } from '../../kernel/units.ts'
import { anInstance } from '../../testing/builders.ts'
import { decodePackable, encodePackable } from '../membership/index.ts'
import { decodeBody, encodeBody } from './encode-record.ts'
import { instanceKey, nodeFactsKey } from './record.ts'
import type { Instance, NodeFacts } from './record.ts'

const count = fc.maxSafeNat()
const port = fc.integer({ min: 1, max: 65_535 })
const text = fc.string({ maxLength: 40, unit: 'grapheme' })
const ip = fc.oneof(fc.ipV4(), fc.ipV6())

/** Optional members are absent, never undefined, as the contract wants it. */
function optional<T extends object, O extends object>(
  required: { [K in keyof T]: fc.Arbitrary<T[K]> },
  extra: { [K in keyof O]: fc.Arbitrary<O[K]> },
): fc.Arbitrary<T & Partial<O>> {
  const requiredKeys = Object.keys(required)
  return fc.record({ ...required, ...extra }, { requiredKeys: requiredKeys as never[] }) as fc.Arbitrary<T & Partial<O>>
}

const instances: fc.Arbitrary<Instance> = optional(
  {
    service: fc.constantFrom(serviceId('web'), serviceId('shop:web'), serviceId('a.b-c_d')),
    containerId: fc.stringMatching(/^[0-9a-f]{12,64}$/),
    containerName: text,
    image: text,
    state: fc.constantFrom('healthy' as const, 'unhealthy' as const, 'starting' as const, 'stopped' as const),
    sinceWallMs: count,
    consecutiveFailures: count,
    endpoints: fc.array(
      optional(
        { protocol: fc.constantFrom('tcp' as const, 'udp' as const), containerPort: port },
        { hostIp: ip, hostPort: port },
      ),
      { maxLength: 5 },
    ),
    networks: fc.array(fc.record({ network: text, ip }), { maxLength: 5 }),
  },
  {
    reason: text,
    complaints: fc.array(text, { maxLength: 5 }),
    restartGivenUp: fc.boolean(),
    routing: optional(
      {
        host: fc.stringMatching(/^[a-z0-9-]{1,63}$/),
        scheme: fc.constantFrom('http' as const, 'https' as const),
        routers: fc.array(
          optional(
            { name: text, rule: text },
            {
              entryPoints: fc.array(text, { maxLength: 3 }),
              priority: fc.maxSafeInteger(),
              middlewares: fc.array(text, { maxLength: 3 }),
            },
          ),
          { maxLength: 4 },
        ),
      },
      { port, network: text },
    ),
  },
)

const facts: fc.Arbitrary<NodeFacts> = optional(
  {
    agentVersion: text,
    arch: text,
    os: text,
    cpuCount: count,
    memoryTotalBytes: count,
    memoryFreeBytes: count,
    diskTotalBytes: count,
    diskFreeBytes: count,
    engine: fc.record({ kind: text, version: text, connected: fc.boolean() }),
  },
  { restartingForMs: count },
)

test('every instance comes back as it was', () => {
  fc.assert(
    fc.property(instances, instance => {
      const bytes = encodeBody({ kind: 'instance', instance })
      expect(decodeBody(instanceKey(instance.containerId), bytes)).toEqual({
        ok: true,
        value: { kind: 'instance', instance },
      })
    }),
  )
})

test('every set of node facts comes back as it was', () => {
  fc.assert(
    fc.property(facts, some => {
      const bytes = encodeBody({ kind: 'nodeFacts', facts: some })
      expect(decodeBody(nodeFactsKey, bytes)).toEqual({ ok: true, value: { kind: 'nodeFacts', facts: some } })
    }),
  )
})

test('an ordinary instance with routing takes less than 200 bytes, so that a gossip packet carries several', () => {
  expect(encodeBody({ kind: 'instance', instance: anInstance() }).length).toBeLessThan(200)
})

const key = instanceKey('c0ffee000000')
const packed = (): Record<string, never> => {
  const value = decodePackable(encodeBody({ kind: 'instance', instance: anInstance() }))
  return (value.ok ? value.value : {}) as Record<string, never>
}

test('a member that a newer version added is skipped', () => {
  const decoded = decodeBody(key, encodePackable({ ...packed(), zz: ['new'], h: 'h' }))
  expect(decoded).toEqual({ ok: true, value: { kind: 'instance', instance: anInstance() } })
})

test.each([
  ['a kind of a newer version', { t: 'w' }],
  ['a state of a newer version', { ...packed(), h: 'd' }],
  ['a service id that is none', { ...packed(), s: 'a b' }],
  ['an address that would break out of a URL', { ...packed(), d: [{ n: 'net', i: '1.2.3.4/x?' }] }],
  ['a host that would break out of a rule', { ...packed(), g: { h: 'a`) || Host(`b', r: [] } }],
  ['port 0', { ...packed(), e: [{ c: 0 }] }],
  ['a fraction for a count', { ...packed(), f: 0.5 }],
  ['a missing member', { t: 'i' }],
  ['more endpoints than anybody has', { ...packed(), e: Array.from({ length: 257 }, () => ({ c: 1 })) }],
  ['a list for a body', ['i']],
])('%s is carried on, not understood', (_, value) => {
  expect(decodeBody(key, encodePackable(value))).toEqual({ ok: true, value: { kind: 'unknown' } })
})

test('a kind under a key it may not have is not understood', () => {
  const bytes = encodeBody({ kind: 'instance', instance: anInstance() })
  expect(decodeBody(nodeFactsKey, bytes)).toEqual({ ok: true, value: { kind: 'unknown' } })
  expect(decodeBody('i/', bytes)).toEqual({ ok: true, value: { kind: 'unknown' } })
})

test('random bytes never throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => void decodeBody(key, bytes)))
  expect(decodeBody(key, Uint8Array.of(0xc1)).ok).toBe(false)
})
