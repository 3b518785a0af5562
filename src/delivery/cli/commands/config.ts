/** `constellation config show`: every setting, its value and where it came from. Secrets arrive here already hidden. */
import type { Command } from 'commander'
import type { CliConfig, CliDeps, Loaded, ShownSetting } from '../deps.ts'
import { createPaint, json, plain, table } from '../text.ts'
import { givenFlags, withConfigFlags } from './shared.ts'

export function addConfigCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>): void {
  const config = program.command('config').description('the configuration of the agent')
  const show = config.command('show').description('print every setting with its origin; takes the flags of `agent`')
  withConfigFlags(show, deps.configFlags)
    .option('--json', 'print as JSON')
    .option('--why', 'print the reason for each setting')
    .action(async (options: { json?: true; why?: true }) => {
      const loaded = await deps.loadConfig(givenFlags(show, deps.configFlags))
      if (options.json === true)
        deps.io.out(`${json({ file: loaded.file ?? null, settings: loaded.settings.map(forPrograms) })}\n`)
      else deps.io.out(forPeople(loaded, options.why ?? false, deps))
    })
}

function forPrograms({ json: value, ...setting }: ShownSetting): object {
  return { ...setting, value }
}

function forPeople<C extends CliConfig>(loaded: Loaded<C>, why: boolean, deps: CliDeps<C>): string {
  const paint = createPaint(deps.io.colours)
  const row = ({ path, value, origin, unused, why: reason }: ShownSetting): readonly string[] => {
    const fromDefault = origin.startsWith('default')
    const shown = plain(value === '' ? '-' : value)
    const from = unused ? `${origin}, not used yet` : origin
    return [path, fromDefault ? shown : paint.bold(shown), paint.faint(plain(from)), ...(why ? [reason] : [])]
  }
  const head = ['SETTING', 'VALUE', 'ORIGIN', ...(why ? ['WHY'] : [])]
  const file = `${paint.faint('file:')} ${loaded.file ?? 'none was found'}`
  return `${file}\n\n${table(head, loaded.settings.map(row), paint)}\n`
}
