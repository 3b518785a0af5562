/**
 * Bytes and text. The text codec is the only thing of the platform the core may use, and it comes in here,
 * declared by hand because the core is compiled without Node's or the browser's types.
 */
declare const TextEncoder: new () => { encode(text: string): Uint8Array }
declare const TextDecoder: new (label?: string, options?: { fatal?: boolean }) => { decode(bytes: Uint8Array): string }

const encoder = new TextEncoder()
const lenient = new TextDecoder('utf-8')
const strict = new TextDecoder('utf-8', { fatal: true })

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Invalid sequences become U+FFFD. Only for text that people read. */
export function textOf(bytes: Uint8Array): string {
  return lenient.decode(bytes)
}

/** `undefined` when the bytes are not UTF-8. For names: two different byte strings must never become one name. */
export function strictTextOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0
  for (const part of parts) sizeBytes += part.length
  const whole = new Uint8Array(sizeBytes)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}

/** Accepts blanks between the digits. Throws RangeError on anything else that is not hexadecimal. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s+/g, '')
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) throw new RangeError('not hexadecimal')
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}
