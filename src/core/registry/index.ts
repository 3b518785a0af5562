export * from './record.ts'
export * from './view.ts'
