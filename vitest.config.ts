import { defineConfig } from 'vitest/config'

/**
 * Four projects, from fast to real:
 * unit sits beside the code; tidy reads the repository; scenario runs whole agents in one process on virtual time;
 * integration uses real sockets, engines and partner programs, one file at a time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          pool: 'threads',
          isolate: false,
          include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'test/contract/**/*.unit.test.ts'],
        },
      },
      { test: { name: 'tidy', pool: 'threads', include: ['test/tidy.test.ts'] } },
      { test: { name: 'scenario', pool: 'threads', include: ['test/scenario/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'integration',
          pool: 'forks',
          fileParallelism: false,
          include: ['test/integration/**/*.test.ts', 'test/interop/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
