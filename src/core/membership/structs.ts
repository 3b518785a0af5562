/**
 * The structs of the protocol, field by field: the one place that knows their names on the wire. Writers list the fields
 * in the order peers write them (ascending bytes of the name), so that equal messages are equal bytes everywhere.
 */
import { invariant } from '../../kernel/invariant.ts'
import type { Address } from '../../kernel/units.ts'
import { uint32Max, uint8Max } from './fields.ts'
import type { Fields } from './fields.ts'
import { ipToBytes } from './ip.ts'
import { metaBytesMax, packetBytesMax } from './limits.ts'
import type { Ack, Alive, Dead, IndirectPing, Nack, NodeState, Ping, ProbeSource, Suspect } from './messages.ts'
import type { Writer } from './msgpack-writer.ts'
import type { MemberStatus } from './types.ts'

type FieldValue = boolean | number | string | Uint8Array

/** A field that is `undefined` is left out. Empty bytes are written as nil, as a Go peer writes a nil slice. */
export function writeStruct(writer: Writer, fields: readonly (readonly [string, FieldValue | undefined])[]): void {
  const told = fields.filter((field): field is readonly [string, FieldValue] => field[1] !== undefined)
  writer.mapHeader(told.length)
  for (const [name, value] of told) {
    writer.text(name)
    if (typeof value === 'boolean') writer.bool(value)
    else if (typeof value === 'number') writer.integer(value)
    else if (typeof value === 'string') writer.text(value)
    else if (value.length === 0) writer.nil()
    else writer.raw(value)
  }
}

export function writePing(writer: Writer, ping: Ping): void {
  writeStruct(writer, [['Node', ping.node], ['SeqNo', ping.seqNo], ...sourceFields(ping.source)])
}

export function readPing(fields: Fields): Ping {
  return {
    kind: 'ping',
    seqNo: fields.uint('SeqNo', uint32Max),
    node: fields.nameOrEmpty('Node'),
    ...readSource(fields),
  }
}

export function writeIndirectPing(writer: Writer, ping: IndirectPing): void {
  writeStruct(writer, [
    ['Nack', ping.wantsNack],
    ['Node', ping.node],
    ['Port', ping.target.port],
    ['SeqNo', ping.seqNo],
    ...sourceFields(ping.source),
    ['Target', addressBytes(ping.target)],
  ])
}

export function readIndirectPing(fields: Fields): IndirectPing {
  return {
    kind: 'indirectPing',
    seqNo: fields.uint('SeqNo', uint32Max),
    target: fields.address('Target', 'Port'),
    node: fields.nameOrEmpty('Node'),
    wantsNack: fields.bool('Nack'),
    ...readSource(fields),
  }
}

export function writeAck(writer: Writer, ack: Ack): void {
  writeStruct(writer, [
    ['Payload', ack.payload],
    ['SeqNo', ack.seqNo],
  ])
}

export function readAck(fields: Fields): Ack {
  return { kind: 'ack', seqNo: fields.uint('SeqNo', uint32Max), payload: fields.bytes('Payload', packetBytesMax) }
}

export function writeNack(writer: Writer, nack: Nack): void {
  writeStruct(writer, [['SeqNo', nack.seqNo]])
}

export function readNack(fields: Fields): Nack {
  return { kind: 'nack', seqNo: fields.uint('SeqNo', uint32Max) }
}

export function writeAccusation(writer: Writer, accusation: Suspect | Dead): void {
  writeStruct(writer, [
    ['From', accusation.from],
    ['Incarnation', accusation.incarnation],
    ['Node', accusation.node],
  ])
}

export function readAccusation<K extends 'suspect' | 'dead'>(kind: K, fields: Fields) {
  return {
    kind,
    incarnation: fields.uint('Incarnation', uint32Max),
    node: fields.name('Node'),
    from: fields.nameOrEmpty('From'),
  }
}

export function writeAlive(writer: Writer, alive: Alive): void {
  writeStruct(writer, [
    ['Addr', addressBytes(alive.address)],
    ['Incarnation', alive.incarnation],
    ['Meta', alive.meta],
    ['Node', alive.node],
    ['Port', alive.address.port],
    ['Vsn', alive.versions],
  ])
}

export function readAlive(fields: Fields): Alive {
  return { kind: 'alive', node: fields.name('Node'), ...readDescription(fields) }
}

/** Its place in the list is its number on the wire. */
const statuses: readonly MemberStatus[] = ['alive', 'suspect', 'dead', 'left']

export function writeNodeState(writer: Writer, node: NodeState): void {
  writeStruct(writer, [
    ['Addr', addressBytes(node.address)],
    ['Incarnation', node.incarnation],
    ['Meta', node.meta],
    ['Name', node.name],
    ['Port', node.address.port],
    ['State', statuses.indexOf(node.status)],
    ['Vsn', node.versions],
  ])
}

export function readNodeState(fields: Fields): NodeState {
  const status = statuses[fields.uint('State', uint8Max)]
  if (status === undefined) fields.fail({ reason: 'malformed', detail: 'State is none of the four known' })
  return { name: fields.name('Name'), ...readDescription(fields), status: status ?? 'dead' }
}

function readDescription(fields: Fields): Pick<NodeState, 'address' | 'meta' | 'incarnation' | 'versions'> {
  return {
    incarnation: fields.uint('Incarnation', uint32Max),
    address: fields.address('Addr', 'Port'),
    meta: fields.bytes('Meta', metaBytesMax),
    // Six are defined; what a later version may add behind them is not for us.
    versions: fields.bytes('Vsn', uint8Max).slice(0, 6),
  }
}

function sourceFields(source: ProbeSource | undefined): readonly (readonly [string, FieldValue | undefined])[] {
  if (source === undefined) return []
  return [
    ['SourceAddr', addressBytes(source.address)],
    ['SourceNode', source.node === '' ? undefined : source.node],
    ['SourcePort', source.address.port],
  ]
}

function readSource(fields: Fields): { readonly source?: ProbeSource } {
  const address = fields.addressIfTold('SourceAddr', 'SourcePort')
  // A peer that answers to a name we refuse still gets its ack, or it would take us for dead.
  const node = fields.optionalName('SourceNode')
  return address === undefined ? {} : { source: { address, node } }
}

function addressBytes(address: Address): Uint8Array {
  const bytes = ipToBytes(address.ip)
  invariant(bytes !== undefined, `an address is an IP literal, not ${JSON.stringify(address.ip)}`)
  return bytes
}
