// The official suite's scenarios for the extension io.modelcontextprotocol/tasks, against the gate. What makes a task there is that a person
// has to approve the call; one that approves at once stands in for the people.
// areas: approval, task
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, TOP, until } from './lib/gate.mjs'
import { people } from './lib/people.mjs'
import { startTaskServer } from './lib/task_server.mjs'

const suite = join(TOP, 'tests/node_modules/@modelcontextprotocol/conformance/dist/index.js')
const SCENARIOS = ['tasks-lifecycle', 'tasks-capability-negotiation', 'tasks-wire-fields', 'tasks-request-state-removal', 'tasks-mrtr-input',
                   'tasks-request-headers', 'tasks-dispatch-and-envelope']
// Left out: tasks-required-task-error wants a tool that only clients with tasks may call, and there is none, since everybody may wait;
// tasks-mrtr-composition wants a tool that asks its client before it becomes a task, and here people are asked first; the suite itself skips
// tasks-status-notifications.

let gate, server, approves

// A gate for each: the same call in the same session would have the answer of the one before.
beforeEach(async () => {
  server = await startTaskServer()
  const asked = ['slow_compute', 'failing_job', 'protocol_error_job', 'confirm_delete', 'multi_input'].map((t) => `jobs/${t}`)
  const tools = Object.fromEntries(asked.map((t) => [t, { risk: 'high' }]))
  gate = await startGate({ servers: { jobs: { url: server.url } }, tools, session: { max_tool_calls: 1000, rate: 'none' },
                           trial: { anonymous: 'suite' } })
  gate.write({ allowed_origins: [gate.url] }) // the suite says that it comes from there
  gate.json(['reload'])
  await until('the server', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
  await gate.agent({ id: 'suite', allow: ['jobs/greet', ...asked] })
  const who = people(gate)
  let over = false
  const approving = (async () => {
    for (; !over; await sleep(50)) for (const q of await who.pending()) await who.decide('approve', q)
  })()
  approves = async () => {
    over = true
    await approving
  }
})
afterEach(async () => {
  await approves?.()
  await gate?.stop()
  await server?.stop()
})

function run(args) {
  const child = spawn(process.execPath, [suite, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', (d) => (out += d))
  child.stderr.on('data', (d) => (out += d))
  return new Promise((done) => child.on('close', () => done(out)))
}

for (const name of SCENARIOS)
  test(name, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'doorward-suite-'))
    try {
      const out = await run(['server', '--url', `${gate.url}/mcp/jobs`, '--scenario', name, '--spec-version', '2026-07-28', '--force', '-o', dir])
      const [entry] = readdirSync(dir)
      assert.ok(entry && existsSync(join(dir, entry, 'checks.json')), out)
      const checks = JSON.parse(readFileSync(join(dir, entry, 'checks.json'), 'utf8'))
      const bad = checks.filter((c) => ['FAILURE', 'WARNING'].includes(c.status)).map((c) => `${c.id}: ${c.errorMessage ?? c.description}`)
      const good = checks.filter((c) => c.status === 'SUCCESS').length
      assert.deepEqual(bad, [])
      assert.ok(good > 0)
      t.diagnostic(`${good} checks`)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
