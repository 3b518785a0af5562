export { buildProgram, runCli } from './program.ts'
export type { CliConfig, CliDeps, ConfigFlag, DemoOptions, Io, Loaded, ShownSetting } from './deps.ts'
