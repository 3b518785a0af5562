/** `npm run lab -- up 3 | partition A B [--one-way] | heal | power-off A | power-on A | status | down` */
import { Command } from 'commander'
import { get, crashAgent, startAgent } from './agent.ts'
import { down, heal, partition, powerOff, powerOn, up } from './lab.ts'
import { loadState, nodeOf, saveState } from './state.ts'

const say = (line: string): void => console.log(line)
const program = new Command('lab').description(
  'Several real nodes on this machine: one namespace, engine and agent each.',
)

program
  .command('up')
  .argument('[count]', 'how many nodes, 2 to 5', '3')
  .option('--no-stacks', 'start no example containers')
  .option('--no-agents', 'start no agents')
  .action(async (count: string, options: { stacks: boolean; agents: boolean }) => {
    const wanted = Number(count)
    if (!Number.isInteger(wanted) || wanted < 2 || wanted > 5)
      throw new Error(`up: "${count}" is not a count from 2 to 5`)
    const state = await up(wanted, options, say)
    const first = state.nodes[0]
    if (first !== undefined) say(`try: curl -H 'Host: web.lab.test' http://${first.ip}:8082/`)
  })
program
  .command('partition')
  .argument('<a>')
  .argument('<b>')
  .option('--one-way', 'b no longer hears a, a still hears b', false)
  .action((a: string, b: string, options: { oneWay: boolean }) => partition(a, b, options.oneWay))
program.command('heal').description('undo every partition').action(heal)
program.command('power-off').argument('<node>').action(powerOff)
program.command('power-on').argument('<node>').action(powerOn)
program
  .command('crash-agent')
  .description('kill -9 of the agent alone')
  .argument('<node>')
  .action((name: string) => {
    const state = loadState()
    crashAgent(nodeOf(state, name))
    saveState(state)
  })
program
  .command('start-agent')
  .argument('<node>')
  .action(async (name: string) => {
    const state = loadState()
    await startAgent(state, nodeOf(state, name))
    saveState(state)
  })
program.command('status').action(async () => {
  for (const node of loadState().nodes) {
    const status = await get(node, 8080, '/api/v1/status')
    say(`${node.name} ${node.ip} docker=unix://${node.socket} agent: ${status ?? 'no answer'}`)
  }
})
program.command('down').action(() => down(say))

if (process.getuid?.() !== 0) {
  console.error('the lab needs root: it makes network namespaces and starts Docker engines')
  process.exit(2)
}
try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
