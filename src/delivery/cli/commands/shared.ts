/** Options that several commands have. */
import type { Command } from 'commander'
import type { ClientOptions } from '../client.ts'
import type { ConfigFlag } from '../deps.ts'

export interface ReadOptions extends ClientOptions {
  readonly json?: true
}

/** For commands that ask an agent. */
export function withReadOptions(command: Command): Command {
  return command
    .option('--json', 'print the answer of the API as JSON')
    .option('--api <url>', 'the agent to ask; else the one on this node')
    .option('--token-file <file>', 'holds the token of that agent; over loopback none is needed')
    .option('--config <file>', 'the configuration to find the agent on this node by')
}

export function withConfigFlags(command: Command, flags: readonly ConfigFlag[]): Command {
  for (const { name, help } of flags) command.option(`${name} <value>`, help)
  return command
}

/** What was given, by long option; what was not given is absent. */
export function givenFlags(command: Command, flags: readonly ConfigFlag[]): Readonly<Record<string, string>> {
  const given: Record<string, string> = {}
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName())
    const known = flags.some(({ name }) => name === option.long)
    if (known && option.long !== undefined && typeof value === 'string') given[option.long] = value
  }
  return given
}
