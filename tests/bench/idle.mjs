// ./dev bench idle [N]: what it costs to have many at the door who do nothing. N connections (10,000), each of which has made a call
// and is kept; N sessions, each with a token; N protocol sessions of the older era (initialize). Each measured alone: resident memory
// of the daemon before, behind, and behind their end, and calls that are answered meanwhile.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { startGate, until } from '../integration/lib/gate.mjs'
import { figures } from '../integration/lib/proc.mjs'
import { startServer } from '../integration/lib/servers.mjs'
import { each } from '../integration/lib/swarm.mjs'

const N = Number(process.argv[2] ?? 10000)
const modern = await startServer('modern_server.mjs', { mode: ['--json'] })
const gate = await startGate({ servers: { modern: { url: modern.url } }, agents: { max_concurrent_sessions: 10000 },
  session: { max_tool_calls: 100000000, rate: 'none' }, limits: { connections: N + 100 }, token: { lifetime: '1h' }, log: { level: 'warn' } })
await until('the server to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
const agent = await gate.agent({ allow: ['modern/echo'] })
const { access_token: token } = gate.open(agent)

const kib = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${gate.daemon.pid}/status`, 'utf8'))[1])
const request = (text) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'modern__echo', arguments: { text }, _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } })
  const fields = { ...gate.headers(token), host: `127.0.0.1:${gate.port}`, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call',
                   'mcp-name': 'modern__echo', 'content-length': Buffer.byteLength(body) }
  return `POST /mcp HTTP/1.1\r\n${Object.entries(fields).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${body}`
}

const visit = (text) => new Promise((done, fail) => {
  const socket = connect(gate.port, '127.0.0.1', () => text === undefined ? done(socket) : socket.write(request(text)))
  let heard = ''
  socket.on('error', fail)
  socket.on('data', (d) => {
    heard += d
    if (!heard.includes('\r\n\r\n') || !heard.includes('"result"')) return
    socket.removeAllListeners('data').on('data', () => {})
    done(socket)
  })
})

const percentile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]
async function calls(count = 2000) {
  const took = []
  let failed = 0
  await each(Array(count).fill('during'), async (text) => {
    const start = performance.now()
    const { json } = await gate.call(token, 'modern__echo', { text })
    took.push(performance.now() - start)
    if (json?.result?.content[0].text !== text) failed++
  }, 8)
  took.sort((a, b) => a - b)
  return { failed, p50: percentile(took, 0.5).toFixed(1), p99: percentile(took, 0.99).toFixed(1) }
}

const row = (...cells) => console.log(cells.map((c, i) => i ? String(c).padStart(12) : String(c).padEnd(30)).join(''))
async function measure(what, open, close) {
  await calls()
  const before = kib()
  const kept = await open()
  const is = kib(), { fds } = figures(gate.daemon.pid)
  const meanwhile = await calls()
  await close(kept)
  row(what, (before / 1024).toFixed(1), (is / 1024).toFixed(1), Math.round((is - before) * 1024 / N), fds, (kib() / 1024).toFixed(1),
      meanwhile.p50, meanwhile.p99, meanwhile.failed)
  return meanwhile.failed
}

let failed = 0
try {
  console.log(`resident when nobody is there: ${(kib() / 1024).toFixed(1)} MiB`)
  row(`${N} of`, 'MiB before', 'MiB', 'bytes each', 'descriptors', 'MiB after', 'p50 ms', 'p99 ms', 'failed')
  failed += await measure('sessions',
    () => each(Array(N - 1).fill(agent.id), async (id) => (await gate.operator('POST', '/sessions', { agentId: id })).json, 16),
    (kept) => each(kept, ({ sessionId }) => gate.operator('POST', `/sessions/${sessionId}/end`, {}), 16))
  failed += await measure('protocol sessions (2025-11-25)',
    () => each(Array(N).fill({ protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'idle', version: '1' } }), async (params) => {
      const res = await fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token), body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }) })
      await res.text()
      return res.headers.get('mcp-session-id')
    }, 16),
    (kept) => each(kept, (id) => fetch(`${gate.url}/mcp`, { method: 'DELETE', headers: gate.headers(token, { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }) }).then((r) => r.text()), 16))
  failed += await measure('connections, each after a call',
    () => each(Array.from({ length: N }, (_, i) => `call ${i} ${'x'.repeat(600)}`), visit, 64),
    async (kept) => {
      for (const socket of kept) socket.destroy()
      await until('the daemon to see that they left', () => figures(gate.daemon.pid).fds < 200)
    })
} finally {
  modern.stop() // not waited for: it keeps no process running
  await gate.stop()
}
process.exit(failed ? 1 : 0)
