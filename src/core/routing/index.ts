export * from './types.ts'
export * from './names.ts'
export * from './rule.ts'
