/** `constellation demo`: three agents on this machine, live for people or once for programs. */
import type { Command } from 'commander'
import type { CliConfig, CliDeps, Finish } from '../deps.ts'

export function addDemoCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  program
    .command('demo')
    .description('three real agents on this machine, without Docker and without root')
    .option('--once', 'unattended: load, kill a node, report, end')
    .option('--json', 'with --once: the report as JSON')
    .action(async (options: { once?: true; json?: true }, command: Command) => {
      if (options.json === true && options.once !== true) command.error('error: --json goes with --once')
      finish(await deps.runDemo({ once: options.once ?? false, json: options.json ?? false }))
    })
}
