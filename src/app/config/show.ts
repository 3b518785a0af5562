/** The configuration for people and programs: every value with its origin, unit and reason. Secrets are never in it. */
import type { LoadedConfig, Setting } from '../load-config.ts'
import { fields } from '../config.ts'
import { describeOrigin } from './complaint.ts'
import { leaves } from './leaves.ts'

export interface ShownSetting {
  readonly path: string
  /** Empty when it is not set. */
  readonly value: string
  /** With its type, null when it is not set; what `value` hides is hidden here, too. */
  readonly json: unknown
  /** Read and checked, but nothing of this version acts on it. */
  readonly unused: boolean
  readonly origin: string
  readonly unit: string
  readonly why: string
}

const hidden = '(set, not shown)'

export function showConfig(loaded: LoadedConfig): readonly ShownSetting[] {
  return loaded.settings.map(setting => ({
    path: setting.leaf.path,
    value: shownValue(setting),
    json: jsonValue(setting),
    unused: setting.leaf.field.unused ?? false,
    origin: describeOrigin(setting.origin),
    unit: setting.leaf.field.unit ?? '',
    why: setting.leaf.field.why,
  }))
}

function shownValue({ leaf, value }: Setting): string {
  if (value === undefined) return ''
  return leaf.field.secret === true ? hidden : leaf.field.show(value)
}

function jsonValue({ leaf, value }: Setting): unknown {
  if (value === undefined) return null
  if (leaf.field.secret === true) return hidden
  return leaf.field.json?.(value) ?? value
}

export interface ConfigFlag {
  /** `--bind-port` */
  readonly name: string
  readonly help: string
}

/** The long options that set configuration; all take a value. */
export function configFlags(): readonly ConfigFlag[] {
  const ofFields = leaves(fields).flatMap(({ path, field }) =>
    field.flag === undefined ? [] : [{ name: field.flag, help: `${path}: ${field.expects}` }],
  )
  return [
    { name: '--config', help: 'the configuration file; else constellation.config.{ts,json,yaml,yml}' },
    ...ofFields,
  ]
}
