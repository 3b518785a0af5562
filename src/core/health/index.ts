export * from './container-fact.ts'
