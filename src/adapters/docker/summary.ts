/**
 * One row of the engine's container list, reduced to whether the container must be inspected again. Inspecting all of them
 * at every listing would keep the engine busy on a node with hundreds; the row already tells of every change but the
 * failing streak.
 */
import { isObject, listAt, objectAt, textAt } from './json.ts'

export interface Summary {
  readonly id: string
  /**
   * Changes when state, health, exit code, name, ports or addresses do. It holds Docker's `Up 3 minutes (healthy)` as it is: a
   * restart resets it, and a young container is looked at more often than an old one for it.
   */
  readonly fingerprint: string
  /** False while a check fails or has not spoken: the failing streak grows without any other sign. */
  readonly isSettled: boolean
}

/** Undefined for a row that names no container. */
export function summaryOf(row: unknown): Summary | undefined {
  if (!isObject(row)) return undefined
  const id = textAt(row, 'Id')
  if (id === '') return undefined
  const status = textAt(row, 'Status')
  // The engine lists ports in random order.
  const ports = listAt(row, 'Ports').map(port => JSON.stringify(port))
  const networks = objectAt(objectAt(row, 'NetworkSettings'), 'Networks')
  const addresses = Object.entries(networks).map(([name, settings]) =>
    isObject(settings) ? [name, settings['IPAddress'], settings['GlobalIPv6Address']] : [name],
  )
  return {
    id,
    fingerprint: JSON.stringify([listAt(row, 'Names'), textAt(row, 'State'), status, ports.sort(), addresses]),
    isSettled: !/\((unhealthy|health: starting)\)/.test(status),
  }
}
