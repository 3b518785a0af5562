import { createMemoryEngine } from '../../src/adapters/memory/container-engine.ts'
import { aContainer } from '../../src/testing/builders.ts'
import { containerEngineContract } from './container-engine.ts'

containerEngineContract('the engine in memory', { listsByItself: false, publishes: false }, () => {
  const engine = createMemoryEngine()
  const idOf = (name: string): string => `memory-${name}`
  return Promise.resolve({
    engine,
    async start(name) {
      const labels = { 'constellation.service': name }
      const endpoints = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '127.0.0.1', hostPort: 8080 }]
      engine.put(aContainer({ id: idOf(name), name, labels, endpoints }))
    },
    async setHealth(name, healthy) {
      engine.change(
        idOf(name),
        healthy ? { health: 'healthy', failingStreak: 0 } : { health: 'unhealthy', failingStreak: 1 },
      )
    },
    async kill(name) {
      engine.change(idOf(name), { state: 'exited', exitCode: 137 })
    },
    remove: name => Promise.resolve(engine.remove(idOf(name))),
    async startMark(name) {
      return String(engine.containers().find(container => container.name === name)?.startedAtWallMs)
    },
    close: () => Promise.resolve(),
  })
})
