// Lists: a server's pages become one list of ours, which is private to its session; no cursor but a server's own reaches that server,
// and a server that dies, or never comes to an end, takes nothing of the others' with it.
// areas: mcp, connect
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGate, until } from './lib/gate.mjs'
import { json, startRaw } from './lib/servers.mjs'

const LISTS = { 'tools/list': 'tools', 'prompts/list': 'prompts', 'resources/list': 'resources', 'resources/templates/list': 'resourceTemplates' }
const PAGE = 40
const numbered = (n, word) => Array.from({ length: n }, (_, i) => `${word}${String(i).padStart(3, '0')}`)
const entries = {
  tools: numbered(300, 't').map((name) => ({ name, inputSchema: { type: 'object' } })),
  prompts: numbered(120, 'p').map((name) => ({ name })),
  resources: numbered(120, 'r').map((name) => ({ name, uri: `raw://${name}` })),
  resourceTemplates: numbered(50, 'u').map((name) => ({ name, uriTemplate: `raw://${name}/{id}` })),
}
const can = { tools: {}, prompts: {}, resources: {} }
const servers = {}
let gate, agent, token

// Its cursors are its own affair: they hold what would have to be escaped, and only the one it gave is good for the next page.
const cursorOf = (page) => `page "${page}"\\ ü\n`

function paged(m, res, era) {
  const result = (r) => json(res, { id: m.id, result: era === 'modern' ? { resultType: 'complete', ...r } : r })
  const member = LISTS[m.method]
  if (member) {
    const at = m.params?.cursor === undefined ? 0 : [1, 2, 3, 4, 5, 6, 7].find((page) => cursorOf(page) === m.params.cursor)
    if (at === undefined) return json(res, { id: m.id, error: { code: -32602, message: 'Invalid cursor' } })
    const more = (at + 1) * PAGE < entries[member].length
    return result({ [member]: entries[member].slice(at * PAGE, (at + 1) * PAGE), ...(more && { nextCursor: cursorOf(at + 1) }) })
  }
  if (m.method === 'server/discover' && era === 'modern') return result({ supportedVersions: ['2026-07-28'], capabilities: can })
  if (m.method === 'initialize') return result({ protocolVersion: '2025-11-25', capabilities: can, serverInfo: { name: 'paged', version: '1' } })
  if (m.id === undefined) return res.writeHead(202).end()
  if (m.method === 'resources/read')
    return result({ contents: [{ uri: m.params.uri, text: 'read' }], ...(era === 'modern' && { ttlMs: 3600000, cacheScope: 'public' }) })
  if (m.method === 'tools/call') return result({ content: [{ type: 'text', text: m.params.name }] })
  return json(res, { id: m.id, error: { code: -32601, message: 'Method not found' } }, era === 'modern' ? 404 : 200)
}

before(async () => {
  servers.modern = await startRaw((m, req, res) => req.method === 'POST' ? paged(m, res, 'modern') : res.writeHead(405).end())
  servers.legacy = await startRaw((m, req, res) => req.method === 'POST' ? paged(m, res, 'legacy') : res.writeHead(405).end())
  servers.endless = await startRaw((m, req, res) => m.method === 'tools/list'
    ? json(res, { id: m.id, result: { resultType: 'complete', tools: [{ name: `e${Math.random()}`, inputSchema: { type: 'object' } }], nextCursor: `c${Math.random()}` } })
    : paged(m, res, 'modern'))
  const names = ['modern', 'legacy', 'endless']
  gate = await startGate({
    servers: Object.fromEntries(names.map((name) => [name, { url: servers[name].url }])),
    session: { max_tool_calls: 1000, rate: '10000/minute' }, agents: { max_concurrent_sessions: 50 },
    scopes: [{ when: { agent_type: 'reader' }, add: names.flatMap((s) => [`prompts:get:server:${s}`, `resources:read:server:${s}`]) }],
  })
  agent = await gate.agent({ type: 'reader', allow: ['modern/t000', 'modern/t150', 'modern/t299', 'legacy/t000', 'legacy/t299'] })
  token = gate.open(agent).access_token
})

after(async () => {
  await gate?.stop()
  await Promise.all(Object.values(servers).map((s) => s.stop()))
})

const legacy = async (method, params) => {
  const res = await fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token), body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })
  return { status: res.status, json: await res.json() }
}

for (const server of ['modern', 'legacy'])
  test(`all pages of a ${server} server are one list, each entry once, each tool of it can be called`, async () => {
    const ids = gate.json(['tools', 'list']).tools.map((t) => t.id).filter((id) => id.startsWith(`${server}/`))
    assert.deepEqual(ids, entries.tools.map((t) => `${server}/${t.name}`))
    for (const [method, member] of Object.entries(LISTS).slice(1)) {
      const { result } = (await gate.modern(token, method, {}, { path: `/mcp/${server}` })).json
      assert.deepEqual(result[member].map((e) => e.name), entries[member].map((e) => e.name), method)
      assert.equal(result.nextCursor, undefined)
    }
    assert.equal((await gate.call(token, `${server}__t299`, {})).json.result.content[0].text, 't299')
  })

test('what a session may not use does not make pages, holes or counts: it sees its own in one piece', async () => {
  for (const client of [await gate.modernClient(token), await gate.legacyClient(token)]) {
    const list = await client.listTools()
    assert.deepEqual(list.tools.map((t) => t.name), ['legacy__t000', 'legacy__t299', 'modern__t000', 'modern__t150', 'modern__t299'])
    assert.equal(list.nextCursor, undefined)
    await client.close()
  }
})

test('no cursor is good here: none forged, none of a server, none of another type; and none of them reaches a server', async () => {
  const before = [servers.modern, servers.legacy].map((s) => s.seen.length)
  for (const method of Object.keys(LISTS))
    for (const cursor of ['', 'forged', cursorOf(1), 'eyJvZmZzZXQiOjQwfQ==', 1, null, {}]) {
      const answers = [gate.modern(token, method, { cursor }), gate.modern(token, method, { cursor }, { path: '/mcp/modern' }), legacy(method, { cursor })]
      for (const answer of await Promise.all(answers))
        assert.deepEqual([answer.status, answer.json.error?.code], [400, -32602], `${method} ${JSON.stringify(cursor)}`)
    }
  assert.deepEqual([servers.modern, servers.legacy].map((s) => s.seen.length), before)
})

test('every list, and what a session reads, is private, for a while that is named', async () => {
  for (const method of [...Object.keys(LISTS), 'server/discover']) {
    const { result } = (await gate.modern(token, method)).json
    assert.equal(result.cacheScope, 'private', method)
    assert.ok(Number.isInteger(result.ttlMs) && result.ttlMs > 0 && result.ttlMs <= 60000, method)
  }
  // The modern server says that anybody may keep what was read, for an hour: how long is its word, for whom is not. The legacy one
  // says nothing, and nothing is kept.
  for (const [server, ttlMs] of [['modern', 3600000], ['legacy', 0]]) {
    const { result } = (await gate.modern(token, 'resources/read', { uri: 'raw://r000' }, { path: `/mcp/${server}`, headers: { 'mcp-name': 'raw://r000' } })).json
    assert.deepEqual([result.contents[0].text, result.cacheScope, result.ttlMs], ['read', 'private', ttlMs])
  }
})

test('two sessions of one path have lists of their own', async () => {
  const other = gate.open(await gate.agent({ type: 'somebody', allow: ['modern/t007'] })).access_token
  const names = async (of, method, member) => (await gate.modern(of, method)).json.result[member].map((e) => e.name)
  assert.deepEqual(await names(other, 'tools/list', 'tools'), ['modern__t007'])
  for (const [method, member] of Object.entries(LISTS).slice(1)) assert.deepEqual(await names(other, method, member), [], method)
  assert.equal((await names(token, 'prompts/list', 'prompts')).length, 240)
})

test('a server whose pages never end is down, with the reason, and the others are as they were', async () => {
  const endless = gate.json(['status']).servers.find((s) => s.name === 'endless')
  assert.notEqual(endless.state, 'up')
  assert.match(endless.fault, /does not end/)
  assert.ok(servers.endless.seen.filter((s) => s.message?.method === 'tools/list').length < 1000)
})

test('a server that dies takes its own prompts and resources with it, and nobody else\'s', async () => {
  await servers.legacy.stop()
  const names = async (method, member) => (await gate.modern(token, method)).json.result[member].map((e) => e.name)
  await gate.modern(token, 'prompts/get', { name: 'legacy__p000' }) // whoever calls it next learns it
  await until('its prompts to go', async () => !(await names('prompts/list', 'prompts')).some((n) => n.startsWith('legacy__')))
  assert.deepEqual(await names('prompts/list', 'prompts'), entries.prompts.map((p) => `modern__${p.name}`))
  assert.equal((await names('resources/list', 'resources')).length, 120)
  assert.deepEqual((await names('tools/list', 'tools')).filter((n) => n.startsWith('modern__')).length, 3)
})
