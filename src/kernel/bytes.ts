/**
 * Bytes and text. The text codec is the only thing of the platform the core may use, and it comes in here,
 * declared by hand because the core is compiled without Node's or the browser's types.
 */
declare const TextEncoder: new () => { encode(text: string): Uint8Array }
declare const TextDecoder: new (label?: string, options?: { fatal?: boolean }) => { decode(bytes: Uint8Array): string }

const encoder = new TextEncoder()
const lenient = new TextDecoder('utf-8')
const strict = new TextDecoder('utf-8', { fatal: true })

/** Up to here a loop beats the platform's codec, which is made for long texts; field names and node names are short. */
const shortMax = 24

export function utf8(text: string): Uint8Array {
  return (text.length <= shortMax ? shortAscii(text) : undefined) ?? encoder.encode(text)
}

/** `undefined` when it is not plain ASCII. */
function shortAscii(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return undefined
    bytes[i] = code
  }
  return bytes
}

/** `undefined` when they are not plain ASCII. */
function shortAsciiText(bytes: Uint8Array): string | undefined {
  if (bytes.length > shortMax) return undefined
  let text = ''
  for (const byte of bytes) {
    if (byte >= 0x80) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

/** Invalid sequences become U+FFFD. Only for text that people read. */
export function textOf(bytes: Uint8Array): string {
  return shortAsciiText(bytes) ?? lenient.decode(bytes)
}

/** `undefined` when the bytes are not UTF-8. For names: two different byte strings must never become one name. */
export function strictTextOf(bytes: Uint8Array): string | undefined {
  try {
    return shortAsciiText(bytes) ?? strict.decode(bytes)
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
