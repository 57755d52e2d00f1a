// The official MCP suite (@modelcontextprotocol/conformance) against Doorward, at both revisions:
//   node mcp.mjs [DIR]     DIR: another installed copy of the suite, the folder that holds its package.json
//
// A server of ours with the tools that the scenarios expect stands behind the gate (mcp_server.mjs). The suite knows no
// credentials, so that a forwarder adds the agent's and changes nothing else. One case is one check of the suite.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startGate, TOP } from '../integration/lib/gate.mjs'
import { runClientScenarios } from './mcp_client_scenarios.mjs'
import { passes, requirements } from './mcp_required.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const suite = resolve(process.argv[2] || join(TOP, 'tests/node_modules/@modelcontextprotocol/conformance'), 'dist/index.js')

// What the gate serves of each revision. The server behind it speaks the same one.
const REVISIONS = { '2025-11-25': 'legacy', '2026-07-28': 'modern' }

// Capabilities of MCP that the gate does not serve yet, by the scenarios that are about nothing else ...
const NOT_YET = {
  'resumable streams': ['server-sse-polling'],
}
// ... and by checks within scenarios that are about more.
const NOT_YET_CHECKS = {
}
const capabilityOf = (table, name) => Object.keys(table).find((capability) => table[capability].includes(name))

// Adds the credential. Host and Origin go on as they came: the suite judges what the gate makes of them.
async function startForwarder() {
  const forwarder = { credential: '', port: 0, target: 0 }
  const server = createServer((req, res) => {
    const headers = [...req.rawHeaders, 'Authorization', `Bearer ${forwarder.credential}`]
    const onward = request({ host: '127.0.0.1', port: forwarder.target, method: req.method, path: req.url, headers, setHost: false })
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(res)
    })
    onward.on('error', () => res.destroy())
    res.on('close', () => onward.destroy())
    req.pipe(onward)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  forwarder.port = server.address().port
  forwarder.close = () => {
    server.close()
    server.closeAllConnections()
  }
  return forwarder
}

function run(args) {
  const child = spawn(process.execPath, [suite, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', (d) => (out += d))
  child.stderr.on('data', (d) => (out += d))
  return new Promise((done) => child.on('close', (code) => done({ code, out })))
}

// "  - ping [2025-06-18,2025-11-25]"
async function scenariosOf(revision) {
  const { code, out } = await run(['list', '--server'])
  if (code !== 0) throw new Error(`the suite cannot be run: ${suite}\n${out}`)
  return [...out.matchAll(/^ {2}- (\S+) \[([^\]]*)\]/gm)].filter((m) => m[2].split(',').includes(revision)).map((m) => m[1])
}

const tally = { passed: 0, failed: 0 }
const notYet = new Map()

function later(capability, name) {
  notYet.set(capability, [...(notYet.get(capability) ?? []), name])
}

function failing(revision, scenario, name, words) {
  tally.failed++
  console.log(`FAILED ${revision} ${scenario}: ${name}: ${words.replace(/\s+/g, ' ').slice(0, 400)}`)
}

function judge(revision, scenario, check) {
  const capability = capabilityOf(NOT_YET_CHECKS, check.id)
  if (capability && check.status !== 'SUCCESS') later(capability, check.id)
  else if (check.status === 'SUCCESS') tally.passed++
  else if (check.status === 'FAILURE' || check.status === 'WARNING')
    failing(revision, scenario, check.id, `${check.description}: ${check.errorMessage ?? ''}`)
}

const leftOut = new Map()
const required = new Map() // revision -> what the suite requires of it
const passing = new Set() // "revision leg scenario"

async function checksOf(url, revision, name, results) {
  const dir = join(results, `${revision}-${name}`)
  const { out } = await run(['server', '--url', url, '--scenario', name, '--spec-version', revision, '--force', '-o', dir])
  try {
    return { out, checks: JSON.parse(readFileSync(join(dir, readdirSync(dir)[0], 'checks.json'), 'utf8')) }
  } catch {
    return { out, checks: [] }
  }
}

function judgeAll(revision, leg, name, checks, out) {
  if (!checks.length) failing(revision, name, 'scenario', `it left no result\n${out}`)
  for (const check of checks) judge(revision, name, check)
  if (passes(checks)) passing.add(`${revision} ${leg} ${name}`)
}

async function scenario(url, revision, name, results) {
  const { checks, out } = await checksOf(url, revision, name, results)
  judgeAll(revision, 'server', name, checks, out)
}

// Extensions of the protocol and what came after a revision: run, reported and never scored.
async function notScored(url, revision, names, results) {
  for (const { name, reason } of required.get(revision).notScored.filter((s) => s.leg === 'server' && !names.includes(s.name))) {
    const { checks } = await checksOf(url, revision, name, results)
    const of = checks.filter((c) => ['SUCCESS', 'FAILURE', 'WARNING'].includes(c.status))
    console.log(`not scored (${reason}): ${revision} ${name}: ${of.filter((c) => c.status === 'SUCCESS').length} of ${of.length} checks`)
  }
}

// "2025-11-25: 30/30 required server scenarios"
function report(revision, leg, without = []) {
  const names = [...required.get(revision)[leg]]
  const of = names.filter((name) => !without.includes(name))
  const missing = of.filter((name) => !passing.has(`${revision} ${leg} ${name}`))
  console.log(`${revision}: ${of.length - missing.length}/${of.length} required ${leg} scenarios` +
              `${without.length ? ` (and ${names.length - of.length} left out)` : ''}${missing.length ? `; missing: ${missing.join(', ')}` : ''}`)
}

const forwarder = await startForwarder()
const results = mkdtempSync(join(tmpdir(), 'doorward-conformance-'))
// Tools that the server adds when the suite asks it to. It is one process for all, so that it is the same one that is listed.
const ADDED = Object.values(REVISIONS).flatMap((s) => Array.from({ length: 50 }, (_, i) => `${s}/test_added_${i + 1}`))
const server = (...args) => ({ command: [process.execPath, join(here, 'mcp_server.mjs'), ...args], isolation: 'gateway' })
const gate = await startGate({
  servers: { modern: server(), legacy: server('legacy') },
  allowed_hosts: [`127.0.0.1:${forwarder.port}`, 'localhost'],
  allowed_origins: [`http://127.0.0.1:${forwarder.port}`],
  session: { max_tool_calls: 1000, rate: '100000/minute' },
  scopes: [{ add: Object.values(REVISIONS).flatMap((s) => [`resources:read:server:${s}`, `prompts:get:server:${s}`]) }],
}, { waitReady: true })
try {
  const tools = gate.json(['tools', 'list']).tools.map((t) => t.id)
  forwarder.target = gate.port
  forwarder.credential = gate.open(await gate.agent({ allow: [...tools, ...ADDED] })).access_token
  for (const [revision, behind] of Object.entries(REVISIONS)) {
    const names = await scenariosOf(revision)
    required.set(revision, await requirements(run, revision))
    for (const name of names.filter((n) => capabilityOf(NOT_YET, n))) later(capabilityOf(NOT_YET, name), name)
    const served = names.filter((n) => !capabilityOf(NOT_YET, n))
    const next = async () => {
      for (let name; (name = served.shift());)
        await scenario(`http://127.0.0.1:${forwarder.port}/mcp/${behind}`, revision, name, results)
    }
    // One after the other where the server is a legacy one over stdio: the suite's clients share one credential and so one
    // process, and what that asks while it serves several clients is nobody's.
    await Promise.all(behind === 'legacy' ? [next()] : [next(), next()])
    await notScored(`http://127.0.0.1:${forwarder.port}/mcp/${behind}`, revision, names, results)
    await runClientScenarios(run, revision, results, {
      judged: (name, checks, out) => judgeAll(revision, 'client', name, checks, out),
      leftOut: (reason, name) => leftOut.set(reason, [...(leftOut.get(reason) ?? []), name]),
    })
  }
} finally {
  await gate.stop()
  forwarder.close()
  rmSync(results, { recursive: true, force: true })
}
for (const [capability, names] of notYet) console.log(`not yet served: ${capability}: ${[...new Set(names)].join(', ')}`)
for (const [reason, names] of leftOut) console.log(`left out: ${reason}: ${[...new Set(names)].join(', ')}`)
for (const revision of required.keys()) {
  report(revision, 'server')
  report(revision, 'client', [...leftOut.values()].flat())
}
console.log(`${tally.passed} passed, ${tally.failed} failed`)
process.exitCode = tally.failed ? 1 : 0
