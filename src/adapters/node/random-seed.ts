/** Seeds and ids from the operating system's generator. Two agents that start at once must not act in step. */
import { randomBytes } from 'node:crypto'

/** For `createPrng`: 32 bits. */
export function randomSeed(): number {
  return randomBytes(4).readUInt32LE()
}

/** 128 bits in lower-case hexadecimal. */
export function randomNodeId(): string {
  return randomBytes(16).toString('hex')
}
