/**
 * `constellation keys`: lists the gossip keys of every node and changes them while the cluster runs. A key is never printed,
 * except by `generate`, and need not be an argument, where everybody on the machine could read it.
 */
import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { z } from 'zod'
import { fingerprintPattern } from '../../../core/cluster/index.ts'
import { gossipKeys } from '../../rest/schema.ts'
import { CliError, createClient, type Answer } from '../client.ts'
import type { CliConfig, CliDeps, Finish } from '../deps.ts'
import { exitCodes } from '../exit.ts'
import { createPaint, json, plain, stateWord, table, type Paint } from '../text.ts'
import { withReadOptions, type ReadOptions } from './shared.ts'

type GossipKeys = z.output<typeof gossipKeys>

interface InstallOptions extends ReadOptions {
  readonly keyFile?: string
}

const url = '/api/v1/gossip/keys'
const keySizeBytes = 32

const recipe = `
To change the key of a running cluster, on one node:
  constellation keys generate > new.key        (umask 077 first)
  constellation keys install --key-file new.key
  constellation keys list                      the new key is the last one of each node
  constellation keys use <its fingerprint>
  constellation keys remove <fingerprint of the old key>
Begin when all nodes are up. A node that is down while a key is installed cannot read the others once that key is used;
copy <secretsPath>/gossip-keyring.json of another node to it before it is started. Remove the old key when all are back.

Changes need the token of the agent: on this node it is read from the secrets directory, else pass --token-file.

Exits with 0 when all nodes did it, with 1 when some did not; they are named. \`list\` exits with 1 while keyrings differ.`

export function addKeysCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  const keys = program.command('keys').description('the gossip keys of all nodes').addHelpText('after', recipe)
  const show = ({ raw, value }: Answer<GossipKeys>, options: ReadOptions): void => {
    deps.io.out(`${options.json === true ? json(raw) : forPeople(value, createPaint(deps.io.colours))}\n`)
    if (!value.complete || (value.operation === 'list' && !agree(value))) finish(exitCodes.unwell)
  }
  const change = async (word: string, body: object, options: ReadOptions): Promise<void> => {
    const client = await createClient(options, deps)
    show(await client.post(`${url}/${word}`, body, gossipKeys), options)
  }

  withReadOptions(keys.command('list').description('which node has which keys, by fingerprint')).action(
    async (options: ReadOptions) => {
      const client = await createClient(options, deps)
      show(await client.get(url, gossipKeys), options)
    },
  )

  keys
    .command('generate')
    .description('print a new random key and nothing else; no agent is asked')
    .action(() => deps.io.out(`${randomBytes(keySizeBytes).toString('base64')}\n`))

  withReadOptions(keys.command('install').description('give every node a further key; it is not used yet'))
    .argument('[key]', 'base64 of 16, 24 or 32 bytes; - reads it from standard input')
    .option('--key-file <file>', 'read the key from this file')
    .action(async (key: string | undefined, options: InstallOptions, command: Command) => {
      if ((key === undefined) === (options.keyFile === undefined))
        command.error('error: give the key once: as an argument, as - for standard input, or with --key-file')
      await change('install', { key: await keyOf(key, options.keyFile, deps) }, options)
    })

  for (const [word, about] of [
    ['use', 'encrypt with this key on every node'],
    ['remove', 'forget this key on every node; it must not be in use'],
  ] as const)
    withReadOptions(keys.command(word).description(about))
      .argument('<fingerprint>', 'twelve digits, as `list` shows them')
      .action((fingerprint: string, options: ReadOptions, command: Command) => {
        if (!fingerprintPattern.test(fingerprint))
          command.error('error: a fingerprint has twelve digits 0-9 and a-f; `constellation keys list` shows them')
        return change(word, { fingerprint }, options)
      })
}

async function keyOf<C extends CliConfig>(
  key: string | undefined,
  keyFile: string | undefined,
  deps: CliDeps<C>,
): Promise<string> {
  if (key !== undefined && key !== '-') return key
  try {
    return (keyFile === undefined ? await deps.readStdin() : await deps.readFile(keyFile)).trim()
  } catch (cause) {
    throw new CliError(exitCodes.usage, 'KEY_UNREADABLE', `cannot read the key from ${keyFile ?? 'standard input'}`, {
      cause,
    })
  }
}

/** Every node that answered has the same keys and encrypts with the same one. */
function agree({ keys }: GossipKeys): boolean {
  return (
    keys.every(({ missingOn }) => missingOn.length === 0) && keys.filter(key => key.primaryOn.length > 0).length <= 1
  )
}

/** What is left to do for those who missed a change. */
const afterwards: Readonly<Record<GossipKeys['operation'], string | undefined>> = {
  list: undefined,
  install: 'run this again when it is back, before you use the key',
  use:
    'without this key it cannot read the others; then copy <secretsPath>/gossip-keyring.json of another node to it ' +
    '(mode 0600), else run this again when it is back',
  remove: 'run this again on that node when it is back',
}

function forPeople({ operation, nodes }: GossipKeys, paint: Paint): string {
  const rows = nodes.map(({ node, outcome, fingerprints, reason }) => {
    const [primary = '-', ...further] = fingerprints
    return [
      plain(node),
      stateWord(outcome, paint),
      primary,
      further.length === 0 ? '-' : further.join(' '),
      reason === undefined ? '-' : plain(reason),
    ]
  })
  const advice = afterwards[operation]
  const missed = nodes.filter(({ outcome }) => outcome === 'notAsked' || outcome === 'silent')
  return [
    table(['NODE', 'OUTCOME', 'PRIMARY', 'FURTHER KEYS', 'WHY'], rows, paint),
    ...(advice === undefined ? [] : missed.map(({ node }) => paint.doubtful(`${plain(node)}: ${advice}`))),
  ].join('\n')
}
