export { createReachability } from './reachability.ts'
export { targetsOf } from './targets.ts'
export * from './types.ts'
