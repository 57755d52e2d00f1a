// Which era a server is of is found out once and remembered; a server that was upgraded, or put back, behind the same
// configuration is noticed without a restart.
// areas: connect
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startGate, until } from './lib/gate.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'

const STDIO = ['legacy', 'mute', 'upgraded']
let gate, token, http, era, dir, pin = 'first'

const eraFile = (name) => join(dir, `${name}.era`)
const stdio = (name) => ({ pin, command: [process.execPath, join(dirname(fileURLToPath(import.meta.url)), 'lib/era_server.mjs'), eraFile(name), join(dir, `${name}.seen`)], write: [dir] })
const servers = () => ({ http: { url: http.url, pin }, ...Object.fromEntries(STDIO.map((name) => [name, stdio(name)])) })
const seen = (name) => name === 'http' ? http.seen.map((s) => s.message?.method)
  : existsSync(join(dir, `${name}.seen`)) ? readFileSync(join(dir, `${name}.seen`), 'utf8').trim().split('\n') : []
const count = (name, method) => seen(name).filter((m) => m === method).length

// One server over HTTP that can be another one from a moment to the next.
function answer(m, req, res) {
  const modern = req.headers['mcp-method'] !== undefined
  const refuse = (code, message, status = 400) => json(res, { id: m.id ?? null, error: { code, message } }, status)
  if (req.method !== 'POST') return res.writeHead(era === 'modern' ? 405 : 200).end()
  if (modern && era === 'legacy') return refuse(-32000, 'Bad Request: Server not initialized')
  if (!modern && era === 'modern') return refuse(-32022, 'Unsupported protocol version')
  if (m.id === undefined) return res.writeHead(202).end()
  if (m.method === 'tools/call')
    return json(res, { id: m.id, result: { ...(modern && { resultType: 'complete' }), content: [{ type: 'text', text: modern ? 'modern' : 'legacy' }] } })
  if (m.method === 'initialize')
    return json(res, { id: m.id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'era', version: era } } },
      200, { 'mcp-session-id': `session-${http.seen.length}` })
  json(res, modernBasics(['fine'], m))
}

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'doorward-era-'))
  era = 'legacy'
  for (const name of STDIO) writeFileSync(eraFile(name), name === 'mute' ? 'mute' : 'legacy')
  http = await startRaw(answer)
  gate = await startGate({ servers: servers(), session: { max_tool_calls: 1000, rate: '10000/minute' } })
  const agent = await gate.agent({ allow: ['http/fine', ...STDIO.flatMap((name) => [`${name}/fine`, `${name}/die`])] })
  token = gate.token(agent)
})
after(async () => {
  await gate?.stop()
  await http?.stop()
  rmSync(dir, { recursive: true, force: true })
})

const status = async (name) => (await gate.operator('GET', '/status')).json.servers.find((s) => s.name === name)
const speaks = (name, protocol) => until(`${name} to speak ${protocol}`, async () => (await status(name)).protocol === protocol)
const call = async (name, tool = 'fine') => (await gate.call(token, `${name}__${tool}`, {})).json
const answers = async (name) => (await call(name)).result?.content[0].text
// The gate looks at its servers again, as it does each minute: here because another word about their pins is in force.
async function looksAgain(...names) {
  const before = names.map((name) => count(name, 'tools/list'))
  pin = pin === 'first' ? 'strict' : 'first'
  gate.write({ servers: servers() })
  assert.equal((await gate.operator('POST', '/reload')).status, 200)
  for (const [i, name] of names.entries())
    await until(`${name} to be asked for its tools`, () => count(name, 'tools/list') > before[i])
}

test('a legacy server is asked once for the modern era, over HTTP and over stdio, however often it is looked at', async () => {
  const all = ['http', 'legacy', 'mute']
  for (let i = 0; i < 3; i++) await looksAgain(...all)
  for (const name of all) {
    assert.equal(count(name, 'server/discover'), 1, name)
    assert.ok(count(name, 'initialize') >= 4, name)
    assert.equal(await answers(name), 'legacy')
  }
})

test('one that now speaks both eras is met in the modern one when it is looked at next', async () => {
  assert.equal(await answers('http'), 'legacy')
  era = 'dual'
  await looksAgain('http')
  await speaks('http', '2026-07-28')
  assert.equal(await answers('http'), 'modern')
})

test('one that is put back to the era before says so in the next call, and is spoken to as it was', async () => {
  era = 'legacy'
  assert.ok((await call('http')).error)
  await speaks('http', '2025-11-25')
  assert.equal(await answers('http'), 'legacy')
})

test('one that speaks the modern era only says so in the next call: that was not made, and the one after it is', async () => {
  era = 'modern'
  const { error } = await call('http')
  assert.equal(error.data.code, 'upstream_unavailable')
  assert.match(error.message, /another revision of MCP/)
  assert.notEqual((await gate.recorded('the call', (e) => e.event === 'TOOL_RESULT')).result, 'unknown')
  await speaks('http', '2026-07-28')
  assert.equal(await answers('http'), 'modern')
})

for (const now of ['dual', 'modern'])
  test(`over stdio: a program that was replaced by a ${now} one is noticed when a process ends`, async () => {
    writeFileSync(eraFile('upgraded'), 'legacy')
    await looksAgain('upgraded')
    await speaks('upgraded', '2025-11-25')
    assert.equal(await until('an answer', () => answers('upgraded')), 'legacy')
    writeFileSync(eraFile('upgraded'), now)
    await call('upgraded', 'die')
    await speaks('upgraded', '2026-07-28')
    assert.equal(await until('an answer', () => answers('upgraded')), 'modern')
  })
