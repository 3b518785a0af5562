/** GET /metrics for Prometheus, GET /api/v1/metrics with the same numbers as JSON. */
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Metrics } from '../../../ports/metrics.ts'
import { metrics as metricsSchema } from '../schema.ts'
import { refuseOtherMethods, unauthorised } from './read-route.ts'

const jsonUrl = '/api/v1/metrics'
const textUrl = '/metrics'
const textContentType = 'text/plain; version=0.0.4; charset=utf-8'

export function addMetricsRoutes(app: FastifyInstance, metrics: Metrics): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const json = {
    operationId: 'getMetrics',
    summary: 'The metrics as JSON: name to list of labels and value',
    response: { 200: metricsSchema, ...unauthorised },
  }
  typed.get(jsonUrl, { schema: json }, () => metrics.json())

  const text = {
    operationId: 'getPrometheusMetrics',
    summary: 'The metrics for Prometheus, text format 0.0.4',
    response: {
      200: { description: 'Prometheus text', content: { [textContentType]: { schema: z.string() } } },
      ...unauthorised,
    },
  }
  app.get(textUrl, { schema: text }, async (_request, reply) =>
    reply
      .type(textContentType)
      .serializer((body: string) => body)
      .send(await metrics.text()),
  )
  refuseOtherMethods(app, jsonUrl)
  refuseOtherMethods(app, textUrl)
}
