/** A workload as the rest of the agent sees it: in the words used for containers, so that both engines are treated alike. */
import type { ContainerFact } from '../../core/health/index.ts'
import type { Verdict } from './health-verdict.ts'
import type { ProcessSpec } from './process-spec.ts'
import type { WorkloadRecord } from './process-state.ts'

export interface WorkloadStatus {
  readonly state: 'created' | 'running' | 'restarting'
  readonly verdict: Verdict
  readonly exitCode: number | undefined
}

export function processFact(
  spec: ProcessSpec,
  record: WorkloadRecord,
  { state, verdict, exitCode }: WorkloadStatus,
  publishIp: string,
): ContainerFact {
  return {
    id: record.id,
    name: record.name,
    image: spec.command,
    labels: { 'constellation.service': spec.service, ...spec.labels },
    state,
    health: spec.health === undefined ? 'none' : verdict.health,
    failingStreak: verdict.failingStreak,
    ...(record.startedAtWallMs === undefined ? {} : { startedAtWallMs: record.startedAtWallMs }),
    ...(exitCode === undefined ? {} : { exitCode }),
    endpoints:
      spec.port === undefined
        ? []
        : [{ protocol: 'tcp', containerPort: spec.port, hostIp: publishIp, hostPort: spec.port }],
    networks: [],
  }
}
