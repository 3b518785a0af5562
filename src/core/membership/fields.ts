/**
 * A struct as it arrived: a map from field name to value, where unknown fields are skipped, missing ones are zero and a
 * later version may have added others. Accessors check; the first complaint sticks in `failure` and must be looked at
 * before the values are used.
 */
import { strictTextOf, textOf } from '../../kernel/bytes.ts'
import { unreachable } from '../../kernel/invariant.ts'
import { isNodeName } from '../../kernel/units.ts'
import type { Address } from '../../kernel/units.ts'
import { ipFromBytes } from './ip.ts'
import { nameBytesMax } from './limits.ts'
import type { Refusal } from './messages.ts'
import { createReader } from './msgpack-reader.ts'
import type { Reader } from './msgpack-reader.ts'

type Value = null | boolean | number | Uint8Array

export interface Fields {
  readonly failure: Refusal | undefined
  fail(refusal: Refusal): void
  bool(key: string): boolean
  uint(key: string, max: number): number
  /** A copy; `c0`, an empty value and a missing key are all empty. */
  bytes(key: string, sizeBytesMax: number): Uint8Array
  /** A node's name. */
  name(key: string): string
  /** The same, or empty. */
  nameOrEmpty(key: string): string
  /** The same, and empty too when we could not hold it: for names that we can do without. */
  optionalName(key: string): string
  /** For people: invalid sequences are replaced. */
  text(key: string, sizeBytesMax: number): string
  address(ipKey: string, portKey: string): Address
  /** Undefined when no address was told, or none that can be answered to. */
  addressIfTold(ipKey: string, portKey: string): Address | undefined
}

export const uint8Max = 0xff
export const uint16Max = 0xffff
export const uint32Max = 0xffff_ffff

/** Structs of the protocol are flat; a few levels leave room for fields of later versions. */
const depthMax = 4

/** No struct of the protocol has more than eight fields. */
const tokensMax = 256

export interface ReadStruct {
  readonly fields: Fields
  /** Position after the struct. */
  readonly end: number
  /** The bytes were no struct, or not a whole one. */
  readonly failure: Refusal | undefined
}

export function readStruct(bytes: Uint8Array, start: number): ReadStruct {
  const reader = createReader(bytes, start, tokensMax)
  const values = readValues(reader)
  return { fields: createFields(values), end: reader.offset, failure: reader.failure }
}

function readValues(reader: Reader): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>()
  const head = reader.next()
  if (head.kind !== 'map') {
    reader.fail('malformed', `a struct is a map, not ${head.kind}`)
    return values
  }
  for (let i = 0; i < head.length && reader.failure === undefined; i++) {
    const key = reader.next()
    if (key.kind !== 'text' && key.kind !== 'bytes') reader.fail('malformed', `a field name is text, not ${key.kind}`)
    else {
      const value = readValue(reader, 1)
      if (value !== undefined) values.set(textOf(key.bytes), value)
    }
  }
  return values
}

/** Undefined for what no field of ours can hold. */
function readValue(reader: Reader, depth: number): Value | undefined {
  if (depth > depthMax) reader.fail('tooDeep', `a struct nests at most ${depthMax} levels`)
  const token = reader.next()
  switch (token.kind) {
    case 'nil':
      return null
    case 'bool':
    case 'integer':
    case 'float':
      return token.value
    case 'text':
    case 'bytes':
      return token.bytes
    case 'array':
      return readList(reader, token.length, depth)
    case 'map':
      readList(reader, 2 * token.length, depth)
      return undefined
    case 'extension':
      return undefined
    default:
      return unreachable(token)
  }
}

/** A list of small integers is another way to send bytes. */
function readList(reader: Reader, length: number, depth: number): Uint8Array | undefined {
  const octets: number[] = []
  let isBytes = true
  for (let i = 0; i < length && reader.failure === undefined; i++) {
    const value = readValue(reader, depth + 1)
    if (isUint(value, uint8Max)) octets.push(value)
    else isBytes = false
  }
  return isBytes ? Uint8Array.from(octets) : undefined
}

function isUint(value: Value | undefined, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
}

/** Empty for none, undefined for what is not a name. */
function nameOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return ''
  const name = bytes.length > nameBytesMax ? undefined : strictTextOf(bytes)
  return name !== undefined && isNodeName(name) ? name : undefined
}

function createFields(values: ReadonlyMap<string, Value>): Fields {
  return new StructFields(values)
}

const nothing = new Uint8Array(0)

/** A class, because every message makes one: closures would be made anew each time. */
class StructFields implements Fields {
  failure: Refusal | undefined = undefined
  readonly #values: ReadonlyMap<string, Value>

  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values
  }

  fail(refusal: Refusal): void {
    this.failure ??= refusal
  }

  bool(key: string): boolean {
    const value = this.#values.get(key) ?? false
    if (value === true || value === 1) return true
    if (value !== false && value !== 0) this.#malformed(`${key} is no boolean`)
    return false
  }

  uint(key: string, max: number): number {
    const value = this.#values.get(key) ?? 0
    if (isUint(value, max)) return value
    this.#malformed(`${key} is no integer from 0 to ${max}`)
    return 0
  }

  bytes(key: string, sizeBytesMax: number): Uint8Array {
    const bytes = this.#view(key)
    if (bytes.length <= sizeBytesMax) return bytes.slice()
    this.fail({ reason: 'tooLarge', detail: `${key} has ${bytes.length} bytes, at most ${sizeBytesMax} are taken` })
    return new Uint8Array()
  }

  name(key: string): string {
    const name = this.nameOrEmpty(key)
    if (name === '') this.#malformed(`${key} is empty`)
    return name
  }

  nameOrEmpty(key: string): string {
    const name = nameOf(this.#view(key))
    if (name === undefined) this.#malformed(`${key} is no node name: ${JSON.stringify(this.text(key, nameBytesMax))}`)
    return name ?? ''
  }

  optionalName(key: string): string {
    return nameOf(this.#view(key)) ?? ''
  }

  text(key: string, sizeBytesMax: number): string {
    return textOf(this.#view(key).subarray(0, sizeBytesMax))
  }

  address(ipKey: string, portKey: string): Address {
    const ip = ipFromBytes(this.#view(ipKey))
    if (ip === undefined) this.#malformed(`${ipKey} is no address: ${this.#view(ipKey).length} bytes`)
    return { ip: ip ?? '', port: this.uint(portKey, uint16Max) }
  }

  addressIfTold(ipKey: string, portKey: string): Address | undefined {
    if (this.#view(ipKey).length === 0) return undefined
    const address = this.address(ipKey, portKey)
    return address.port === 0 ? undefined : address
  }

  /** Null counts as empty, as a missing key does. */
  #view(key: string): Uint8Array {
    const value = this.#values.get(key) ?? nothing
    if (value instanceof Uint8Array) return value
    this.#malformed(`${key} is no bytes`)
    return nothing
  }

  #malformed(detail: string): void {
    this.fail({ reason: 'malformed', detail })
  }
}
