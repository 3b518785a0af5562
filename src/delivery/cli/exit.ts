/** How a command ends. The numbers are documented in `constellation --help`; scripts depend on them. */
export const exitCodes = {
  ok: 0,
  /** What was asked about is not well, or is not there. */
  unwell: 1,
  /** The command line or the configuration cannot be used. */
  usage: 2,
  /** No agent answers. */
  unreachable: 3,
  /** The agent wants a token, or another one. */
  unauthorised: 4,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export const exitCodeHelp = `
Exit codes:
  0  all is well
  1  something is unhealthy, unknown or broken
  2  the command line (or none at all) or the configuration cannot be used
  3  no agent answers
  4  the agent wants another token`
