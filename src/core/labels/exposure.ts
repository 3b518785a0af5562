/**
 * Whether a container is routed at all. Opt-in by default: routing everything would publish databases.
 * Our own label, then Traefik's, then the agent's setting; an unreadable value never publishes anything.
 */
import { parseGoBoolean } from '../routing/index.ts'
import { quoted } from './complaints.ts'
import type { Complain } from './complaints.ts'

export const exposeLabel = 'constellation.expose'
export const traefikEnableLabel = 'traefik.enable'
const composeOneOffLabel = 'com.docker.compose.oneoff'

/** `traefikLabels` have lower-cased keys. */
export function isExposed(
  labels: Readonly<Record<string, string>>,
  traefikLabels: ReadonlyMap<string, string>,
  expose: 'labelled' | 'all',
  complain: Complain,
): boolean {
  const wishes = [
    [exposeLabel, labels[exposeLabel]],
    [traefikEnableLabel, traefikLabels.get(traefikEnableLabel)],
  ] as const
  for (const [label, text] of wishes) {
    if (text === undefined) continue
    const value = parseGoBoolean(text.trim())
    if (value === undefined) complain(`label ${label}=${quoted(text)} is neither true nor false; taken as false`)
    return value ?? false
  }
  return expose === 'all'
}

/** `docker compose run`: a shell or a migration beside the service it is named after, and never an instance of it. */
export function isOneOff(labels: Readonly<Record<string, string>>): boolean {
  return labels[composeOneOffLabel]?.toLowerCase() === 'true'
}
