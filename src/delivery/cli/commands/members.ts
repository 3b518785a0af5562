/**
 * `constellation members`: every member gossip knows, foreign and departed ones too; once, or live with --watch. On a
 * terminal the table is drawn in place, elsewhere every change is a line.
 */
import type { Command } from 'commander'
import type { Millis } from '../../../kernel/units.ts'
import { gossipMembers as membersSchema } from '../../rest/schema.ts'
import { createClient, CliError, type Client } from '../client.ts'
import type { CliConfig, CliDeps, Finish, Io } from '../deps.ts'
import { exitCodes } from '../exit.ts'
import { changesBetween, type Member, type MemberChange, type Members } from '../member-changes.ts'
import { age, createPaint, json, plain, stateWord, table, type Paint } from '../text.ts'
import { withReadOptions, type ReadOptions } from './shared.ts'

interface MembersOptions extends ReadOptions {
  readonly watch?: true
}

const pollMs: Millis = 1_000
/** As many as tell a story without pushing the table off the screen. */
const changesShown = 8

export function addMembersCommand<C extends CliConfig>(program: Command, deps: CliDeps<C>, finish: Finish): void {
  withReadOptions(program.command('members').description('every member gossip knows, foreign and departed ones too'))
    .option('--watch', 'go on until Ctrl-C; without a terminal print a line per change (with --json a JSON line)')
    .addHelpText('after', '\nExits with 1 while a member is suspect or dead; with --watch always with 0.')
    .action(async (options: MembersOptions) => {
      const client = await createClient(options, deps)
      if (options.watch === true) return watch(client, options.json === true, deps)
      const { raw, value } = await client.get('/api/v1/gossip/members', membersSchema)
      const { members } = value
      deps.io.out(`${options.json === true ? json(raw) : tableOf(members, createPaint(deps.io.colours))}\n`)
      if (members.some(({ status }) => status === 'suspect' || status === 'dead')) finish(exitCodes.unwell)
    })
}

function tableOf(members: Members, paint: Paint): string {
  const head = ['MEMBER', 'STATUS', 'FOR', 'ADDRESS', 'INCARNATION', 'PROTOCOL', 'HEALTH', 'ROLE', 'PRIORITY', 'META']
  return table(
    head,
    members.map(member => rowOf(member, paint)),
    paint,
  )
}

function rowOf(member: Member, paint: Paint): readonly string[] {
  const { current, min, max } = member.protocol
  const name = plain(member.name)
  return [
    member.self ? `${paint.bold(name)} *` : name,
    stateWord(member.status, paint),
    age(member.statusForMs),
    plain(member.address),
    String(member.incarnation),
    max === 0 ? '-' : `${current} (${min}-${max})`,
    member.healthScore === undefined ? '-' : String(member.healthScore),
    member.role ?? paint.faint('foreign'),
    member.priority === undefined ? '-' : String(member.priority),
    `${member.metaSizeBytes} B`,
  ]
}

interface Watcher {
  seen(members: Members, changes: readonly MemberChange[]): void
  /** The agent did not answer; it is asked again. */
  missed(reason: string): void
}

async function watch<C extends CliConfig>(client: Client, asJson: boolean, deps: CliDeps<C>): Promise<void> {
  const { io } = deps
  const interrupted = deps.interruption()
  const watcher = io.terminal && !asJson ? screen(io) : lines(io, asJson)
  let known: Members | undefined
  while (!interrupted.aborted) {
    try {
      const { members } = (await client.get('/api/v1/gossip/members', membersSchema)).value
      watcher.seen(members, changesBetween(known ?? [], members, io.wallNow()))
      known = members
    } catch (error) {
      // An agent that was never there is a mistake; one that goes away may come back.
      if (known === undefined || !(error instanceof CliError)) throw error
      watcher.missed(error.message)
    }
    await deps.sleep(pollMs, interrupted)
  }
}

function lines(io: Io, asJson: boolean): Watcher {
  let told: string | undefined
  return {
    seen(_members, changes) {
      told = undefined
      for (const change of changes)
        io.out(`${asJson ? JSON.stringify({ ...change, at: timeOf(change.atMs) }) : inWords(change)}\n`)
    },
    missed(reason) {
      if (reason !== told) io.err(`${reason}\n`)
      told = reason
    },
  }
}

const home = '\u001b[H'
const clear = '\u001b[2J'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

/** Draws over what was there, so that nothing flickers. */
function screen(io: Io): Watcher {
  const paint = createPaint(io.colours)
  const recent: MemberChange[] = []
  let last: Members = []
  let drawn: string | undefined

  function draw(note: readonly string[]): void {
    const newest = recent.at(-1)
    const since = newest === undefined ? 'nothing has changed yet' : `last change ${timeOf(newest.atMs)}`
    const text = [tableOf(last, paint), '', paint.faint(since), ...recent.map(inWords), ...note].join('\n')
    if (text === drawn) return
    io.out(
      `${drawn === undefined ? clear : ''}${home}${text.replaceAll('\n', `${clearLine}\n`)}${clearLine}\n${clearBelow}`,
    )
    drawn = text
  }

  return {
    seen(members, changes) {
      // Whom we met at the first look is in the table.
      if (drawn !== undefined) recent.push(...changes)
      recent.splice(0, recent.length - changesShown)
      last = members
      draw([])
    },
    missed: reason => draw([paint.bad(`no answer: ${reason}`)]),
  }
}

function inWords({ atMs, member, address, from, to }: MemberChange): string {
  return `${timeOf(atMs)} ${plain(member)} (${plain(address)}) ${from === undefined ? '' : `${from} -> `}${to}`
}

function timeOf(wallMs: Millis): string {
  return new Date(wallMs).toISOString()
}
