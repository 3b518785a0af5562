#!/usr/bin/env node
/** The program: reads the process, wires the command line to the agent and the demo, and says how it ended. */
import { runAgent } from './run-agent.ts'
import { runDemo } from './demo/demo.ts'
import { main } from './program.ts'

process.exitCode = await main({ runAgent, runDemo })
