import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { strictTextOf, textOf, utf8 } from './bytes.ts'

const texts = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 40 }))
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40, max: 0x7f }),
  texts.map(text => new TextEncoder().encode(text)),
)

test('text of any length and script becomes the bytes that the platform makes of it', () => {
  fc.assert(
    fc.property(texts, text => {
      expect([...utf8(text)]).toEqual([...new TextEncoder().encode(text)])
    }),
  )
})

test('bytes of any kind become the text that the platform makes of them', () => {
  fc.assert(
    fc.property(bytes, raw => {
      expect(textOf(raw)).toBe(new TextDecoder().decode(raw))
    }),
  )
})

test('bytes that are no UTF-8 are no text', () => {
  const platform = (raw: Uint8Array): string | undefined => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(raw)
    } catch {
      return undefined
    }
  }
  fc.assert(
    fc.property(bytes, raw => {
      expect(strictTextOf(raw)).toBe(platform(raw))
    }),
  )
})
