/**
 * Partner programs an integration test talks to: a Docker engine, serf, redis-server. On a laptop that lacks one, the test is
 * skipped and says why; where `CI=true` promises them all, a missing partner is a failure, so that nothing is skipped unseen.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * Answers undefined when the partner is there, else one sentence saying what is missing. A probe that throws counts as
 * missing, with the error as the reason.
 */
export type PartnerProbe = () => Promise<string | undefined>

/** False: skip. Use as `describe.skipIf(!(await requirePartner('docker', probe)))`. */
export async function requirePartner(name: string, probe: PartnerProbe): Promise<boolean> {
  const missing = await probe().catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
  if (missing === undefined) return true
  const complaint = `${name} is needed for these tests: ${missing}`
  if (process.env['CI'] === 'true') throw new Error(complaint)
  console.warn(`skipped: ${complaint}`)
  return false
}

/** A probe that runs a program and is content when it exits with 0. */
export function programProbe(command: string, args: readonly string[]): PartnerProbe {
  return async () => {
    await promisify(execFile)(command, [...args], { timeout: 10_000 })
    return undefined
  }
}
