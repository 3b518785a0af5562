export * from './container-fact.ts'
export { createHealth } from './health.ts'
export * from './types.ts'
