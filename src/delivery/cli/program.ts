/**
 * The command line: which commands there are, and how each way of ending becomes an exit code. Commands print and answer a
 * code; nothing here ends the process.
 */
import { Command, CommanderError } from 'commander'
import { ConstellationError, describeError } from '../../kernel/errors.ts'
import { CliError } from './client.ts'
import { addAgentCommand } from './commands/agent.ts'
import { addConfigCommand } from './commands/config.ts'
import { addDemoCommand } from './commands/demo.ts'
import { addKeysCommand } from './commands/keys.ts'
import { addGossipCommand } from './commands/gossip.ts'
import { addMembersCommand } from './commands/members.ts'
import { addNodesCommand } from './commands/nodes.ts'
import { addServicesCommand } from './commands/services.ts'
import { addStatusCommand } from './commands/status.ts'
import type { CliConfig, CliDeps, Finish } from './deps.ts'
import { exitCodeHelp, exitCodes } from './exit.ts'

const examples = `
Examples:
  constellation agent --seeds 100.64.0.1       run the agent, meet the cluster at that node
  constellation status                         the cluster as the agent of this node sees it
  constellation services web                   each instance of web, and why it gets traffic or not
  constellation nodes --api 100.64.0.2:8080 --token-file ./node-b.token
  constellation keys list                      which node has which gossip keys; see keys --help
  constellation members --watch                every member gossip knows, live
  constellation gossip trace web@node-a        where the newest change of web on node-a has been
  constellation config show                    every setting, its value and where it came from
  constellation demo                           three agents on this machine, without Docker`

export function buildProgram<C extends CliConfig>(deps: CliDeps<C>, finish: Finish): Command {
  const program = new Command('constellation')
    .description('Keeps services alive on a handful of Docker hosts.')
    .version(deps.version, '-V, --version', 'print the version')
    .showHelpAfterError('(constellation --help shows what there is)')
    .exitOverride()
    .configureOutput({ writeOut: text => deps.io.out(text), writeErr: text => deps.io.err(text) })
    .addHelpText('after', `${examples}\n${exitCodeHelp}`)
  addAgentCommand(program, deps, finish)
  addStatusCommand(program, deps, finish)
  addNodesCommand(program, deps, finish)
  addServicesCommand(program, deps, finish)
  addMembersCommand(program, deps, finish)
  addGossipCommand(program, deps, finish)
  addKeysCommand(program, deps, finish)
  addConfigCommand(program, deps)
  addDemoCommand(program, deps, finish)
  return program
}

/** `args` without the program's own name. Answers the exit code, never rejects. */
export async function runCli<C extends CliConfig>(args: readonly string[], deps: CliDeps<C>): Promise<number> {
  let exitCode: number = exitCodes.ok
  const program = buildProgram(deps, code => {
    exitCode = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    return explain(error, deps)
  }
}

function explain<C extends CliConfig>(error: unknown, { io }: CliDeps<C>): number {
  // Commander has already printed its message; asked-for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  io.err(`constellation: ${describeError(error)}\n`)
  if (error instanceof ConstellationError && error.hint !== undefined) io.err(`${error.hint}\n`)
  if (error instanceof CliError) return error.exitCode
  const usage = error instanceof ConstellationError && /^(CONFIG|TOKEN)_/.test(error.code)
  return usage ? exitCodes.usage : exitCodes.unwell
}
