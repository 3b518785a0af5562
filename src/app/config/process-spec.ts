/** The workloads of the `process` engine: child processes that stand in for containers. */
import { z } from 'zod'
import { isPort, type Port } from '../../kernel/units.ts'
import { durationSchema, type Kind } from './field.ts'

const portSchema = z.custom<Port>(isPort, 'expected a port (1 to 65535)')
const pairs = z.record(z.string().min(1), z.string())

const health = z
  .strictObject({
    /** GET on the process's port; 2xx and 3xx pass. */
    http: z.string().startsWith('/', 'expected a path that begins with "/"').optional(),
    /** The process's port accepts a connection. */
    tcp: z.literal(true).optional(),
    /** Exit status 0 passes. */
    command: z.array(z.string()).min(1).readonly().optional(),
    /** Between two checks. */
    intervalMs: durationSchema().prefault('5s'),
    /** A check that takes longer has failed. */
    timeoutMs: durationSchema().prefault('2s'),
    /** Failures in a row that make it unhealthy: one lost packet is no outage. */
    retries: z.int().min(1).prefault(3),
    /** Failures within this time after the start do not count. */
    startPeriodMs: durationSchema().prefault('0s'),
  })
  .refine(
    check => [check.http, check.tcp, check.command].filter(way => way !== undefined).length === 1,
    'expected exactly one of http, tcp and command',
  )

const processSpec = z.strictObject({
  /** Identity of the service: `web`, or `project:web`. */
  service: z.string().regex(/^[A-Za-z0-9][\w.-]{0,127}(:[A-Za-z0-9][\w.-]{0,127})?$/, {
    error: 'expected "service" or "project:service"',
  }),
  command: z.string().min(1, 'expected a program'),
  args: z.array(z.string()).readonly().prefault([]),
  env: pairs.prefault({}),
  /** Where it listens; passed to it as PORT. */
  port: portSchema.optional(),
  labels: pairs.prefault({}),
  health: health.optional(),
})

export type ProcessSpec = Readonly<z.output<typeof processSpec>>

/** Values of `env` are never shown, nor are arguments and labels: that is where passwords are. */
export const processSpecs: Kind<readonly ProcessSpec[]> = {
  schema: z.array(processSpec).readonly(),
  expects: 'a list of processes',
  show: specs =>
    specs.map(spec => [spec.service, ...Object.keys(spec.env).map(name => `${name}=...`)].join(' ')).join(', '),
  json: specs =>
    specs.map(({ service, command, env }) => ({
      service,
      command,
      env: Object.fromEntries(Object.keys(env).map(name => [name, '...'])),
    })),
}
