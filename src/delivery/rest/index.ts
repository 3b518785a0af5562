export { createRestServer } from './server.ts'
export type { RestParts } from './server.ts'
export { createAuthorise } from './auth.ts'
export type { AuthSettings, Authorise } from './auth.ts'
