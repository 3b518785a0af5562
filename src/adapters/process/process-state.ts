/**
 * What a restarted agent must know of the processes it left running: one small file under the data directory. Written
 * synchronously in the same turn as a process is started, so that a crash in between cannot orphan one; no fsync, because a
 * power cut ends the processes as well.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ConstellationError } from '../../kernel/errors.ts'
import { isRunning, processIdentity } from './process-table.ts'

const workloadRecord = z.object({
  /** Unique on the node: the service, numbered from the second instance on. */
  name: z.string(),
  id: z.string(),
  /** Of the whole spec: a changed one is another process, as a changed container is another container. */
  specHash: z.string(),
  /** Null while it is not running. */
  process: processIdentity.nullable(),
  startedAtWallMs: z.number().optional(),
  /** Last word of its check, kept so that a restart of the agent does not make a healthy process start over. */
  health: z.enum(['starting', 'healthy', 'unhealthy']),
})
export type WorkloadRecord = Readonly<z.output<typeof workloadRecord>>

const stateFile = z.object({ version: z.literal(1), workloads: z.array(workloadRecord) })

/** Where state and output of the processes are kept. */
export function processFolder(dataDir: string): string {
  return join(dataDir, 'processes')
}

/** Empty when nothing was ever recorded. Throws on anything else that keeps it from being read. */
export function readWorkloads(dataDir: string): readonly WorkloadRecord[] {
  try {
    return stateFile.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8'))).workloads
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** All or nothing. Throws `STATE_UNWRITABLE`. */
export function writeWorkloads(dataDir: string, workloads: readonly WorkloadRecord[]): void {
  const file = fileIn(dataDir)
  try {
    mkdirSync(processFolder(dataDir), { recursive: true })
    writeFileSync(`${file}.new`, `${JSON.stringify({ version: 1, workloads }, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch (cause) {
    const hint = 'see that the disk is not full and that the user of the agent may write there'
    throw new ConstellationError('STATE_UNWRITABLE', `cannot write ${file}`, { cause, hint })
  }
}

/** The processes of this data directory that run right now, whether or not an agent does. Each leads its process group. */
export function runningWorkloads(dataDir: string): readonly { readonly name: string; readonly pid: number }[] {
  return readWorkloads(dataDir).flatMap(({ name, process }) =>
    process !== null && isRunning(process) ? [{ name, pid: process.pid }] : [],
  )
}

function fileIn(dataDir: string): string {
  return join(processFolder(dataDir), 'state.json')
}
