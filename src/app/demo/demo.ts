/** `constellation demo`: live for people, `--once` for programs. */
import { runLive } from './live.ts'
import { runOnce } from './once.ts'

export interface DemoOptions {
  readonly once: boolean
  readonly json: boolean
}

/** Answers the exit code: 1 when a figure of the unattended run is off. */
export async function runDemo(options: DemoOptions): Promise<number> {
  if (!options.once) {
    await runLive()
    return 0
  }
  const report = await runOnce(line => process.stderr.write(`${line}\n`))
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else
    process.stdout.write(
      `${report.ok ? 'ok' : report.complaints.join('\n')}: ${report.failed} of ${report.requests} failed\n`,
    )
  return report.ok ? 0 : 1
}
