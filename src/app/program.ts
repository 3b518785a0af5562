/** The command line on a real process: its arguments, streams, environment and files. */
import { readToken } from '../adapters/disk/token-file.ts'
import { runCli, type DemoOptions, type Io } from '../delivery/cli/index.ts'
import type { Config } from './config.ts'
import { nodeSources } from './config/node-access.ts'
import { configFlags, showConfig } from './config/show.ts'
import { loadConfig } from './load-config.ts'
import { version } from './version.ts'

export interface Programs {
  readonly runAgent: (config: Config) => Promise<number>
  readonly runDemo: (options: DemoOptions) => Promise<number>
}

/** Answers the exit code. */
export function main(programs: Programs): Promise<number> {
  return runCli(process.argv.slice(2), {
    ...programs,
    version,
    io: processIo(),
    configFlags: configFlags(),
    readToken,
    fetch,
    async loadConfig(flags) {
      const loaded = await loadConfig(nodeSources({ flags, env: process.env, cwd: process.cwd() }))
      return { config: loaded.config, file: loaded.file, settings: showConfig(loaded) }
    },
  })
}

function processIo(): Io {
  return {
    out: text => process.stdout.write(text),
    err: text => process.stderr.write(text),
    // https://no-color.org: any value that is not empty.
    colours: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
    wallNow: () => Date.now(),
  }
}
