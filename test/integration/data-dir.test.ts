/** Two real agents and one data directory: the second one must not start, and the first must not notice. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { runningWorkloads } from '../../src/adapters/process/process-state.ts'
import { endAgents, makeAgent, runToItsEnd, startAgent, type AgentProcess } from './agent-process.ts'
import { untilTrue } from './watching.ts'

afterEach(endAgents)

const sleeper = { service: 'sleeper', command: 'sleep', args: ['600'], port: 9_000 }

function dataDirOf(agent: AgentProcess): string {
  return join(agent.folder, 'data')
}

async function startWithWorkload(name: string): Promise<AgentProcess> {
  const agent = await startAgent({ name, processes: [sleeper] })
  await untilTrue('its process runs', 10_000, () => runningWorkloads(dataDirOf(agent)).length === 1)
  return agent
}

test('a second agent on a data directory ends with exit code 1 and touches nothing', async () => {
  const first = await startWithWorkload('first')
  const dataDir = dataDirOf(first)
  const workloads = runningWorkloads(dataDir)
  const epoch = readFileSync(join(dataDir, 'epoch.json'), 'utf8')
  const { pid } = JSON.parse(readFileSync(join(dataDir, 'agent.lock'), 'utf8')) as { pid: number }

  const paths = { dataDir, configPath: join(first.folder, 'volumes'), secretsPath: join(first.folder, 'secrets') }
  const second = await makeAgent({ name: 'second', sections: () => ({ paths }) })
  const { code, output } = await runToItsEnd(second.configFile)

  expect(code).toBe(1)
  expect(output.match(/"code":"DATA_DIR_IN_USE"/g)).toHaveLength(1)
  expect(output).toContain(`another agent (pid ${pid}) uses the data directory ${dataDir}`)
  expect(output).toContain('paths.dataDir')
  expect(first.running).toBe(true)
  expect(runningWorkloads(dataDir)).toEqual(workloads)
  expect(readFileSync(join(dataDir, 'epoch.json'), 'utf8')).toBe(epoch)
})

test('the lock ends with its agent: after a stop there is none, after a crash it counts for nothing', async () => {
  const agent = await startWithWorkload('first')
  const lockFile = join(dataDirOf(agent), 'agent.lock')
  const text = readFileSync(lockFile, 'utf8')
  expect(await agent.stop()).toBe(0)
  expect(() => readFileSync(lockFile)).toThrow('ENOENT')

  // What a crash leaves behind is the lock as it was.
  writeFileSync(lockFile, text)
  agent.start()
  await untilTrue('it has its own lock', 10_000, () => readFileSync(lockFile, 'utf8') !== text)
  expect(await agent.stop()).toBe(0)
})
