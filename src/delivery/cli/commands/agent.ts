/** `constellation agent`: loads the configuration and runs the agent until it is told to stop. */
import type { Command } from 'commander'
import type { CliConfig, CliDeps, Finish } from '../deps.ts'
import { givenFlags, withConfigFlags } from './shared.ts'

const help = `
Flags win over the environment, the environment over the file, the file over defaults. Lists are separated by commas.
The file is constellation.config.{ts,json,yaml,yml} in the working directory or in /etc/constellation.`

export function addAgentCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  const command = program.command('agent').description('run the agent of this node in the foreground')
  withConfigFlags(command, deps.configFlags)
    .addHelpText('after', help)
    .action(async () => {
      const { config } = await deps.loadConfig(givenFlags(command, deps.configFlags))
      finish(await deps.runAgent(config))
    })
}
