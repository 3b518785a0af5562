export * from './read-labels.ts'
