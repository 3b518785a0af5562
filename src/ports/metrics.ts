/**
 * Every metric the agent publishes, declared once: name, kind, labels, help. The adapter registers exactly these, so a
 * typo is a compile error and a metric nobody can look up does not exist. Prometheus naming: base units, `_total`.
 */
export const metricCatalogue = {
  constellation_gossip_members: {
    kind: 'gauge',
    labels: ['status'],
    help: 'Members known here, ourselves included, by status',
  },
  constellation_gossip_refused_total: {
    kind: 'counter',
    labels: ['reason'],
    help: 'Packets and streams refused, by reason',
  },
  constellation_gossip_packets_total: {
    kind: 'counter',
    labels: ['direction'],
    help: 'Gossip packets (UDP), sent or received',
  },
  constellation_gossip_bytes_total: { kind: 'counter', labels: ['direction'], help: 'Gossip bytes over UDP' },
  constellation_gossip_stream_bytes_total: {
    kind: 'counter',
    labels: ['direction'],
    help: 'Gossip bytes over TCP: push/pull, large records, fallback pings',
  },
  constellation_gossip_push_pulls_total: {
    kind: 'counter',
    labels: ['outcome'],
    help: 'Push/pulls this node began: ok, failed',
  },
  constellation_gossip_probes_total: {
    kind: 'counter',
    labels: [],
    help: 'Members this node has pinged in its rounds',
  },
  constellation_gossip_probe_failures_total: {
    kind: 'counter',
    labels: [],
    help: 'Rounds whose member answered neither us nor those we asked to ping it',
  },
  constellation_gossip_false_positives_total: {
    kind: 'counter',
    labels: [],
    help: 'Members this node held for suspect or dead, who then refuted it',
  },
  constellation_gossip_keys: { kind: 'gauge', labels: [], help: 'Keys of the gossip on this node; 0: in clear' },
  constellation_gossip_suspicions_total: { kind: 'counter', labels: [], help: 'Suspicions this node raised' },
  constellation_gossip_refutations_total: { kind: 'counter', labels: [], help: 'Times this node refuted a suspicion' },
  constellation_gossip_health_score: {
    kind: 'gauge',
    labels: [],
    help: 'How slow this node believes itself to be, 0 is best',
  },
  constellation_gossip_queue_depth: { kind: 'gauge', labels: [], help: 'News waiting to be gossiped' },
  constellation_registry_refused_total: { kind: 'counter', labels: ['reason'], help: 'Records refused, by reason' },
  constellation_instances: { kind: 'gauge', labels: ['state'], help: 'Instances on this node, by state' },
  constellation_engine_connected: { kind: 'gauge', labels: [], help: '1 while the container engine answers' },
  constellation_engine_reconnects_total: { kind: 'counter', labels: [], help: 'Reconnects to the engine' },
  constellation_restarts_total: {
    kind: 'counter',
    labels: ['outcome'],
    help: 'Label-driven restarts: done, failed, gaveUp',
  },
  constellation_view_revision: { kind: 'gauge', labels: [], help: 'Revision of the view on this node' },
  constellation_traefik_documents_total: {
    kind: 'counter',
    labels: ['outcome'],
    help: 'Documents built: changed, unchanged, rejected',
  },
  constellation_traefik_polls_total: {
    kind: 'counter',
    labels: ['code'],
    help: 'Answers given to whoever polls the provider',
  },
  constellation_route_complaints: { kind: 'gauge', labels: [], help: 'Routing wishes that could not be honoured' },
  constellation_proxy_requests_total: {
    kind: 'counter',
    labels: ['service', 'code'],
    help: 'Requests answered by the proxy',
  },
  constellation_proxy_attempts_total: {
    kind: 'counter',
    labels: ['service', 'node', 'outcome'],
    help: 'Upstream attempts',
  },
  constellation_proxy_failovers_total: {
    kind: 'counter',
    labels: ['reason'],
    help: 'Requests sent again to another instance',
  },
  constellation_proxy_refused_total: {
    kind: 'counter',
    labels: ['reason'],
    help: 'Requests the proxy answered itself',
  },
  constellation_http_requests_total: { kind: 'counter', labels: ['method', 'route', 'code'], help: 'REST requests' },
  constellation_build_info: { kind: 'gauge', labels: ['version'], help: 'Always 1' },
} as const satisfies Record<string, MetricDefinition>

export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly help: string
}

export type MetricName = keyof typeof metricCatalogue
export type MetricLabels = Readonly<Record<string, string>>

/** For those who only have numbers to tell. */
export type MetricsSink = Pick<Metrics, 'count' | 'gauge'>

export interface Metrics {
  count(name: MetricName, labels?: MetricLabels, by?: number): void
  gauge(name: MetricName, value: number, labels?: MetricLabels): void
  /** Prometheus text format 0.0.4. */
  text(): Promise<string>
  /** The same numbers for programs: name -> list of {labels, value}. */
  json(): Promise<Readonly<Record<string, readonly { labels: MetricLabels; value: number }[]>>>
}
