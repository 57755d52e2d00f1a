// GET /metrics on the operators' listener: what a scraper gets, and what an operator reads there.
// areas: meter, admin
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BUILD, DESK, startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { figures } from './lib/proc.mjs'

const FAQ = ['desk__search_faq', { query: 'return' }]
const VIEWER = 'a-viewers-token-which-is-long-enough'
let gate, agent, access, book

const scrape = (accept, token = gate.operatorToken()) =>
  fetch(`${gate.admin}/metrics`, { headers: { ...(token && { authorization: `Bearer ${token}` }), ...(accept && { accept }) } })
async function values() {
  const all = {}
  for (const line of (await (await scrape()).text()).split('\n'))
    if (line && !line.startsWith('#')) all[line.slice(0, line.lastIndexOf(' '))] = Number(line.slice(line.lastIndexOf(' ') + 1))
  return all
}

before(async () => {
  process.env.VIEWER_TOKEN = VIEWER
  book = ledger()
  gate = await startGate({ workers: 2, operators: [{ name: 'scraper', role: 'viewer', token: '${VIEWER_TOKEN}' }], session: { max_tool_calls: 1000 },
    servers: { desk: DESK, book: book.server, gone: { url: 'http://127.0.0.1:9/mcp' } } })
  agent = await gate.agent({ allow: ['desk/search_faq', 'book/write'] })
  access = gate.token(agent)
})
after(async () => gate?.stop())

test('what happened is counted: by face, by decision, and how long it took', async () => {
  const was = await values()
  for (let i = 0; i < 5; i++) await gate.call(access, ...FAQ, { headers: { connection: 'close' } }) // over both workers
  await gate.call(access, 'desk__issue_refund', {})
  await gate.call(access, 'desk__search_faq', { wrong: 1 })
  await gate.call('no-token', ...FAQ)
  await fetch(`${gate.url}/nowhere`)
  const is = await values()
  const more = (name) => is[name] - was[name]
  assert.equal(more('doorward_decisions_total{effect="allow"}'), 5)
  assert.equal(more('doorward_decisions_total{effect="deny",stage="whitelist"}'), 1)
  assert.equal(more('doorward_decisions_total{effect="deny",stage="validate"}'), 1)
  assert.equal(more('doorward_requests_total{face="mcp",status="2xx"}'), 6) // a wrong argument is a result
  assert.equal(more('doorward_requests_total{face="mcp",status="4xx"}'), 2)
  assert.equal(more('doorward_requests_total{face="other",status="4xx"}'), 1)
  assert.equal(more('doorward_auth_failures_total{listener="agents"}'), 1)
  assert.equal(more('doorward_call_seconds_count'), 7)
  assert.equal(more('doorward_server_seconds_count'), 5)
  assert.equal(more('doorward_audit_append_seconds_count'), 5)
  assert.ok(more('doorward_server_seconds_sum') > 0 && more('doorward_server_seconds_sum') <= more('doorward_call_seconds_sum'))
})

test('what an operator needs to know at night stands there', async () => {
  const slow = gate.call(access, 'book__write', { line: 'in flight', ms: 600 })
  await until('the call to arrive', () => book.lines().includes('in flight'))
  const is = await values()
  assert.equal(is['doorward_calls_in_flight'], 1)
  assert.equal(is['doorward_sessions'], 1)
  assert.equal(is['doorward_ready'], 1)
  assert.equal(is['doorward_server_up{server="desk"}'], 1)
  assert.equal(is['doorward_server_up{server="gone"}'], 0)
  assert.equal(is['doorward_server_tools{server="desk"}'], 6)
  assert.equal(is['doorward_audit_healthy'], 1)
  assert.ok(is['doorward_audit_last_entry'] > 3)
  assert.ok(is['doorward_connections{listener="agents"}'] >= 1)
  assert.equal(is[`doorward_build_info{version="${gate.cli(['version']).stdout.trim().split(' ')[1]}"}`], 1)
  const seen = figures(gate.daemon.pid)
  assert.ok(Math.abs(is['process_resident_memory_bytes'] / 2 ** 20 - seen.rss) < 8)
  assert.ok(Math.abs(is['process_open_fds'] - seen.fds) < 8)
  assert.ok(Math.abs(is['process_start_time_seconds'] * 1000 - Date.now()) < 60000)
  assert.ok(is['process_cpu_seconds_total'] > 0)
  await slow
  assert.equal((await values())['doorward_calls_in_flight'], 0)
})

test('no agent, session or tool is named', async () => {
  const text = await (await scrape()).text()
  for (const name of [agent.id, 'search_faq', 'sess_', 'issue_refund', 'customer-support']) assert.ok(!text.includes(name), name)
})

test('the text is Prometheus\' own, or OpenMetrics for who asks for it', async () => {
  for (const [accept, type] of [[undefined, 'text/plain; version=0.0.4; charset=utf-8'], ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
                                ['text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
                                ['application/openmetrics-text;q=0, text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
                                ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1', 'application/openmetrics-text; version=1.0.0; charset=utf-8']]) {
    const res = await scrape(accept)
    assert.equal(res.headers.get('content-type'), type, accept)
    assert.equal((await res.text()).endsWith('\n# EOF\n'), type.startsWith('application/openmetrics'))
  }
})

test('OpenMetrics: each sample belongs to the family above it', async () => {
  const text = await (await scrape('application/openmetrics-text; version=1.0.0')).text()
  const ends = { counter: /^_total$/, gauge: /^$/, info: /^_info$/, histogram: /^_(bucket|sum|count)$/ }
  const families = new Set()
  let name, kind
  for (const line of text.trimEnd().split('\n').slice(0, -1)) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line)
    if (type) {
      ;[, name, kind] = type
      assert.ok(!families.has(name), `${name} stands twice`)
      families.add(name)
    } else if (!line.startsWith('# HELP ')) {
      const sample = /^([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (\d+(\.\d+)?)$/.exec(line)
      assert.ok(sample && sample[1].startsWith(name) && ends[kind].test(sample[1].slice(name.length)), line)
    }
  }
  for (const wanted of ['doorward_requests', 'doorward_decisions', 'doorward_call_seconds', 'doorward_audit_append_seconds', 'doorward_build'])
    assert.ok(families.has(wanted), wanted)
})

test('promtool finds nothing wrong', async (t) => {
  const own = join(BUILD, 'promtool')
  const tool = existsSync(own) ? own : 'promtool'
  const r = spawnSync(tool, ['check', 'metrics'], { input: await (await scrape()).text(), encoding: 'utf8' })
  if (r.error) return t.skip('skipped: not there: promtool')
  assert.equal(r.status, 0, r.stdout + r.stderr)
  assert.equal(r.stdout + r.stderr, '')
})

test('an operator\'s token is needed, a viewer\'s is enough; on agents\' listener there is nothing', async () => {
  assert.equal((await scrape(undefined, null)).status, 401)
  assert.equal((await scrape(undefined, access)).status, 401)
  assert.equal((await scrape(undefined, VIEWER)).status, 200)
  assert.equal((await fetch(`${gate.url}/metrics`, { headers: { authorization: `Bearer ${access}` } })).status, 404)
})

test('admin.metrics: open lets whoever reaches the listener read the figures, and nothing else', async () => {
  gate.write({ admin: { ...gate.config.admin, metrics: 'open' } })
  assert.equal((await gate.operator('POST', '/reload')).status, 200)
  assert.equal((await scrape(undefined, null)).status, 200)
  assert.equal((await scrape(undefined, 'wrong')).status, 401)
  for (const path of ['/status', '/agents', '/sessions']) assert.equal((await gate.operator('GET', path, undefined, { token: null })).status, 401, path)
  assert.equal((await fetch(`${gate.admin}/metrics`, { method: 'POST' })).status, 405)
})
