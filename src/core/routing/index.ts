export * from './types.ts'
export * from './names.ts'
