export * from './types.ts'
export * from './key-operation.ts'
export { createClusterMachine } from './cluster.ts'
export type { ClusterMachineSettings } from './cluster.ts'
