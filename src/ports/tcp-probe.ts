/** One TCP connect, closed at once: is anybody at this address? */
import type { ProbeVerdict } from '../core/registry/index.ts'
import type { Address, Millis } from '../kernel/units.ts'

/**
 * answers: the connection was accepted. refused: the host said nobody listens there, so the host is up.
 * silent: nothing within `timeoutMs`, or no route. Never rejects.
 */
export type TcpProbe = (address: Address, timeoutMs: Millis) => Promise<ProbeVerdict>
