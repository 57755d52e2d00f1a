// What is bounded runs out: descriptors for all, memory for one call. What is open goes on, and all recovers without a hand.
// areas: net, daemon, connect
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { figures } from './lib/proc.mjs'
import { json, modernBasics, MODERN_STDIO, startRaw } from './lib/servers.mjs'

const LIMIT = 200
let gate, raw, agent, token

before(async () => {
  raw = await startRaw((m, req, res) => json(res, m.method === 'tools/call'
    ? { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: 'pong' }] } } : modernBasics(['ping'], m), 200,
    { connection: 'close' })) // each call needs a descriptor of its own
  gate = await startGate({ servers: { http: { url: raw.url }, stdio: { ...MODERN_STDIO, isolation: 'session' } },
                           session: { max_tool_calls: 1000, rate: 'none' }, limits: { arena_bytes: 65536 } },
    { through: ['prlimit', `--nofile=${LIMIT / 2}:${LIMIT}`] })
  await until('the servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
  agent = await gate.agent({ allow: ['http/ping', 'stdio/echo'] })
  token = gate.open(agent).access_token
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

// A client that keeps its connection. `ask` resolves with the answer's JSON.
function visitor() {
  const v = { closed: false, heard: '' }
  v.socket = connect(gate.port, '127.0.0.1')
  v.socket.on('error', () => {}).on('close', () => (v.closed = true)).on('data', (d) => (v.heard += d))
  v.ask = async (as, name, args) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } })
    const fields = { ...gate.headers(as), host: `127.0.0.1:${gate.port}`, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call',
                     'mcp-name': name, 'content-length': Buffer.byteLength(body) }
    v.heard = ''
    v.socket.write(`POST /mcp HTTP/1.1\r\n${Object.entries(fields).map(([k, x]) => `${k}: ${x}\r\n`).join('')}\r\n${body}`)
    return until('an answer', () => {
      if (v.closed) throw new Error('closed')
      return JSON.parse(v.heard.split('\r\n\r\n')[1])
    })
  }
  return v
}

const cpu = () => {
  const f = readFileSync(`/proc/${gate.daemon.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(f[11]) + Number(f[12])) / 100 // seconds; the clock of /proc ticks a hundred times in one
}

test('the daemon takes the descriptors that it may have, and says when they are too few', () => {
  assert.match(readFileSync(`/proc/${gate.daemon.pid}/limits`, 'utf8'), new RegExp(`Max open files +${LIMIT} +${LIMIT} `))
  assert.match(gate.log, /"event":"descriptors_short","have":200,"wanted":\d+/)
})

test('with more clients than descriptors, those that are in go on, operators get in, and all recovers', async () => {
  const early = visitor()
  const crowd = Array.from({ length: 2 * LIMIT }, visitor)
  await until('all to be let in or turned away', async () => {
    const open = crowd.filter((v) => !v.closed).length
    await sleep(200)
    return open && open === crowd.filter((v) => !v.closed).length && crowd.every((v) => v.closed || v.socket.readyState === 'open')
  })
  const inside = crowd.filter((v) => !v.closed)
  assert.ok(inside.length > LIMIT / 4 && inside.length < LIMIT, `${inside.length} are in`)
  assert.ok(figures(gate.daemon.pid).fds < LIMIT)

  const busy = cpu()
  await sleep(1000)
  assert.ok(cpu() - busy < 0.3, 'what cannot be let in is not asked for again and again')

  // A call that needs a connection to its server, one that needs a process; an operator's session for the latter.
  const fresh = gate.open(agent).access_token
  assert.equal((await early.ask(token, 'http__ping', {})).result?.content[0].text, 'pong')
  assert.equal((await inside.at(-1).ask(fresh, 'stdio__echo', { text: 'here' })).result?.content[0].text, 'here')
  await until('the log to say so', () => /"event":"connections_refused","count":\d+/.test(gate.log))

  for (const v of [early, ...crowd]) v.socket.destroy()
  await until('a new client to be let in', async () => (await gate.call(token, 'http__ping', {}, { headers: { connection: 'close' } })).json.result)
})

test('a call that needs more memory than one may have is denied alone', async () => {
  const words = { text: 'x'.repeat(60000) }
  const [large, small] = await Promise.all([gate.call(token, 'stdio__echo', words), gate.call(token, 'stdio__echo', { text: 'small' })])
  assert.equal(large.json.error?.data.code, 'out_of_memory')
  assert.equal(small.json.result?.content[0].text, 'small')
  assert.equal((await gate.call(token, 'stdio__echo', { text: 'next' })).json.result?.content[0].text, 'next')
})
