// The official MCP suite (@modelcontextprotocol/conformance) against Doorward, at both revisions:
//   node mcp.mjs [DIR]     DIR: another installed copy of the suite, the folder that holds its package.json
//
// A server of ours (mcp_fixture.mjs) passes the suite by itself; then the same is asked through the gate in front of it. What works
// without the gate and not with it is a failure, whether the suite requires it or not. One case is one check of the suite.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startGate, TOP, until } from '../integration/lib/gate.mjs'
import { runClientScenarios } from './mcp_client_scenarios.mjs'
import { startFixture } from './mcp_fixture.mjs'
import { passes, requirements } from './mcp_required.mjs'
import { runServerScenarios } from './mcp_server_scenarios.mjs'

const suite = resolve(process.argv[2] || join(TOP, 'tests/node_modules/@modelcontextprotocol/conformance'), 'dist/index.js')

// What stands behind the gate, by the name it has there.
const SERVERS = {
  legacy: '2025-11-25 over HTTP', 'legacy-stdio': '2025-11-25 over stdio',
  modern: '2026-07-28 over HTTP', 'modern-stdio': '2026-07-28 over stdio',
}
// The first one is scored; a client must not notice which of the others it has to do with. Left out: a 2026-07-28 client and a
// 2025-11-25 server over stdio. The suite leaves calls behind that wait for answers, its clients are all one agent and so have one
// process, and a question of that process does not say which of the calls it is about.
const REVISIONS = {
  '2025-11-25': ['legacy', 'legacy-stdio', 'modern', 'modern-stdio'],
  '2026-07-28': ['modern', 'modern-stdio', 'legacy'],
}

// What the server does by itself and cannot do behind the gate, by the ids of the checks. `unasked`: the suite leaves the check
// out then; one that fails is a failure all the same.
const EXCEPT = [
  { revision: '2025-11-25', unasked: true, checks: ['server-sse-streams-functional'],
    reason: 'a call about which the server says nothing but its result is answered as JSON, and the suite looks at streams' },
  { revision: '2025-11-25', unasked: true, checks: ['server-sse-disconnect-resume'],
    reason: 'the gate stays when its server leaves in the middle of a call, comes back to it by itself, and answers on the ' +
            'stream that its client has' },
  { revision: '2025-11-25', servers: ['legacy-stdio', 'modern', 'modern-stdio'], unasked: true,
    checks: ['server-sse-priming-event', 'server-sse-retry-field'],
    reason: 'only a 2025-11-25 server over HTTP can leave in the middle of a call; others just answer, and so does the gate, as JSON' },
  { revision: '2026-07-28', servers: ['legacy'],
    checks: ['sep-2322-elicitation-incomplete', 'sep-2322-elicitation-complete', 'sep-2322-ignore-unexpected-params'],
    reason: 'a question of a 2025-11-25 server has no name: the gate gives it one, and the suite knows the server\'s only' },
  { revision: '2026-07-28', servers: ['legacy'],
    checks: ['sep-2575-server-rejects-undeclared-capability', 'sep-2575-missing-capability-http-400', 'sep-2322-respect-client-capabilities'],
    reason: 'a 2025-11-25 server learns when a session opens what its client can do, not with each request' },
  { revision: '2026-07-28', servers: ['legacy'], checks: ['sep-2322-multiple-inputs-incomplete', 'sep-2322-multiple-inputs-complete'],
    reason: 'a 2025-11-25 server asks one thing after the other: what comes later is asked in the next round' },
]
const excepted = (revision, server, id, bad) => EXCEPT.find((e) =>
  e.revision === revision && (e.servers ?? [server]).includes(server) && e.checks.includes(id) && !(bad && e.unasked))

function run(args) {
  const child = spawn(process.execPath, [suite, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', (d) => (out += d))
  child.stderr.on('data', (d) => (out += d))
  return new Promise((done) => child.on('close', (code) => done({ code, out })))
}

const tally = { passed: 0, failed: 0 }
const lines = [] // what is said at the end
const used = new Set() // of EXCEPT

function failing(where, scenario, name, words) {
  tally.failed++
  console.log(`FAILED ${where} ${scenario}: ${name}: ${words.replace(/\s+/g, ' ').slice(0, 400)}`)
}

const BAD = ['FAILURE', 'WARNING']
const idsOf = (checks, statuses) => checks.filter((c) => statuses.includes(c.status)).map((c) => c.id)
const count = (checks) => `${idsOf(checks, ['SUCCESS']).length} of ${idsOf(checks, ['SUCCESS', ...BAD]).length}`

// One scenario through the gate. `alone`: the checks of the server without it; none where there is no such thing.
function judge(revision, server, scenario, checks, { alone = [], mustPass, out }) {
  const where = server ? `${revision} in front of ${SERVERS[server]}` : `${revision} client`
  const fail = (id, bad, words) => {
    const exception = excepted(revision, server, id, bad)
    if (exception) used.add(exception)
    else failing(where, scenario, id, words)
  }
  if (!checks.length) return failing(where, scenario, 'scenario', `it left no result\n${out}`)
  const worked = new Set(idsOf(alone, ['SUCCESS']))
  const works = idsOf(checks, ['SUCCESS'])
  tally.passed += works.length
  for (const check of checks.filter((c) => BAD.includes(c.status)))
    if (mustPass || worked.has(check.id)) fail(check.id, true, `${check.description}: ${check.errorMessage ?? ''}`)
  const seen = new Set([...works, ...idsOf(checks, BAD)])
  for (const id of worked) if (!seen.has(id)) fail(id, false, 'it is checked without the gate and not with it')
}

// "2025-11-25: 30/30 required server scenarios (the fixture alone: 30/30)"
function report(revision, leg, names, passing, more) {
  const missing = names.filter((name) => !passing(name))
  const lacks = missing.length ? `; missing: ${missing.join(', ')}` : ''
  lines.push(`${revision}: ${names.length - missing.length}/${names.length} required ${leg} scenarios${more}${lacks}`)
}

async function servers(gate, fixture, revision, required, results) {
  const [first, ...others] = REVISIONS[revision]
  const at = (url, leg) => runServerScenarios(run, revision, url, required, join(results, `${revision}-${leg}`))
  const through = (server) => at(`${gate.url}/mcp/${server}`, server)
  const alone = await at(fixture.both, 'alone') // one after the other: scenarios make the fixture's lists grow
  const gated = await through(first)
  const crossed = []
  for (const server of others) crossed.push([server, await through(server)])

  const names = [...required.server]
  for (const name of names.filter((n) => !passes(alone.checks(n))))
    failing(revision, name, 'the fixture alone', `it does not pass\n${alone.out}`)
  for (const [server, leg] of [[first, gated], ...crossed])
    for (const name of alone.names)
      judge(revision, server, name, leg.checks(name),
        { alone: alone.checks(name), mustPass: required.server.has(name), out: leg.out })
  for (const name of alone.names.filter((n) => !required.server.has(n)))
    console.log(`not scored (${required.reasonOf(name)}): ${revision} ${name}: ${count(gated.checks(name))} checks ` +
                `(the fixture alone: ${count(alone.checks(name))})`)
  const fit = (leg) => names.filter((n) => passes(leg.checks(n))).length
  report(revision, 'server', names, (n) => passes(gated.checks(n)), ` (the fixture alone: ${fit(alone)}/${names.length})`)
  for (const [server, leg] of crossed)
    lines.push(`${revision} in front of ${SERVERS[server]}: ${fit(leg)}/${names.length} of the same scenarios`)
}

async function clients(revision, required, results) {
  const passing = new Set()
  const leftOut = await runClientScenarios(run, revision, required, results, (name, checks, out) => {
    judge(revision, null, name, checks, { mustPass: true, out })
    if (passes(checks)) passing.add(name)
  })
  const named = [...leftOut.values()].flat()
  for (const [reason, names] of leftOut) lines.push(`${revision} left out: ${reason}: ${names.join(', ')}`)
  const names = [...required.client].filter((n) => !named.includes(n))
  report(revision, 'client', names, (n) => passing.has(n), named.length ? ` (and ${required.client.size - names.length} left out)` : '')
}

// The suite brings no credential: whoever comes without one is the agent `suite`.
async function startTrial(fixture) {
  const ids = Object.keys(SERVERS)
  // Tools that the server adds when the suite asks it to.
  const added = ids.flatMap((s) => Array.from({ length: 10 }, (_, i) => `${s}/test_added_tool_${i + 1}`))
  const stdio = (era) => ({ command: [process.execPath, join(TOP, 'tests/conformance/mcp_fixture.mjs'), era], isolation: 'gateway' })
  const gate = await startGate({
    servers: { legacy: { url: fixture.legacy }, 'legacy-stdio': stdio('legacy'),
               modern: { url: fixture.modern }, 'modern-stdio': stdio('modern') },
    session: { max_tool_calls: 10000, rate: '100000/minute', max_parked_calls: 100 },
    scopes: [{ add: ids.flatMap((s) => [`resources:read:server:${s}`, `prompts:get:server:${s}`]) }],
    trial: { anonymous: 'suite' },
  })
  gate.write({ allowed_origins: [gate.url] }) // the suite says that it comes from there
  gate.json(['reload'])
  await until('the servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
  await gate.agent({ id: 'suite', allow: [...gate.json(['tools', 'list']).tools.map((t) => t.id), ...added] })
  return gate
}

const results = mkdtempSync(join(tmpdir(), 'doorward-conformance-'))
const fixture = await startFixture()
const gate = await startTrial(fixture)
try {
  for (const revision of Object.keys(REVISIONS)) {
    const required = await requirements(run, revision)
    await servers(gate, fixture, revision, required, results)
    await clients(revision, required, results)
  }
} finally {
  await gate.stop()
  fixture.stop()
  rmSync(results, { recursive: true, force: true })
}
for (const { checks, reason } of used) console.log(`not held against the gate: ${reason}: ${checks.join(', ')}`)
for (const line of lines) console.log(line)
console.log(`${tally.passed} passed, ${tally.failed} failed`)
process.exitCode = tally.failed ? 1 : 0
