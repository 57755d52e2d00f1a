// Who is at the door during a soak: a list of actors, each with what it does, how often, and how many of it there are at one time.
// An actor's `act` is one short deed; what it throws is counted, and nothing more: only the steady ones must succeed.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { json, modernBasics, startRaw } from '../integration/lib/servers.mjs'
import { visit } from '../integration/lib/swarm.mjs'

export const VICTIMS = ['victim0', 'victim1', 'victim2', 'victim3']
export const RUDE = { twice: {}, strangers: {}, garbage: {}, late: { ms: 1500 }, never: {}, flood: { ms: 300 } }
export const BROKEN = ['hang', 'die', 'cut', 'nonsense', 'huge']

// An HTTP server that breaks each call in its own way; `wide` is whole, and large.
export const startBroken = () => startRaw(async (m, req, res) => {
  const how = m?.method === 'tools/call' ? m.params.name : 'well'
  if (how === 'well') return json(res, modernBasics([...BROKEN, 'wide'], m ?? {}))
  if (how === 'die') return req.socket.destroy()
  if (how === 'hang') return
  if (how === 'wide') return json(res, { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: 'x'.repeat(300000) }] } })
  res.writeHead(200, { 'content-type': 'application/json' })
  if (how === 'nonsense') return res.end('<html>not found</html>')
  res.write(`{"jsonrpc":"2.0","id":${JSON.stringify(m.id)},"result":{"content":[{"type":"text","text":"`)
  if (how === 'cut') return setTimeout(() => req.socket.destroy(), 5)
  const piece = Buffer.alloc(1 << 20, 'x')
  let next
  res.on('close', () => next?.()).on('drain', () => next?.())
  for (let mb = 0; mb < 100 && !res.destroyed; mb++)
    if (!res.write(piece)) await new Promise((on) => (next = on))
  res.end('"}]}}')
})

// A connection of its own that says what it likes: it sends the parts with a pause before each, and is closed by the gate, or by itself
// after ms.
const speak = (port, parts, { pause = 0, ms = 3000, reads = true } = {}) => new Promise((done) => {
  const socket = connect(port, '127.0.0.1')
  const late = setTimeout(() => socket.destroy(), ms)
  let heard = ''
  socket.on('error', () => {}).on('close', () => {
    clearTimeout(late)
    done(/^HTTP\/1.1 (\d+)/.exec(heard)?.[1] ?? 'closed')
  })
  if (reads) socket.on('data', (d) => (heard = (heard + d.toString('latin1')).slice(0, 100)))
  socket.on('connect', async () => {
    for (const part of parts) {
      if (socket.destroyed) return
      socket.write(part)
      if (pause) await sleep(pause)
    }
  })
})

const MALFORMED = [
  'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'POST /mcp HTTP/1.1\r\n\r\n', 'POST /mcp HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\0'.repeat(100),
  `GET /${'a'.repeat(20000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(3000)}\r\n`,
  'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a":1,,}',
]

// more: actors of others, who come as well.
export function actors({ gate, agent, visitor, token, idle, steady, count, more }) {
  let number = 0
  const fresh = { headers: { connection: 'close' } }
  const code = ({ json }) => json?.error?.data?.code ?? (json?.result?.isError ? 'tool_error' : json?.result ? 'ok' : json?.error ?? 'nothing')
  const steadily = async (tool) => {
    const text = `${++number}`
    const start = performance.now()
    const answer = await gate.call(token(), tool, { text })
    const well = answer.json?.result?.content?.[0].text === text
    steady(performance.now() - start, well ? undefined : code(answer))
    count('steady', code(answer))
  }
  const legacyStream = async () => {
    const send = (verb, message, more = {}) => fetch(`${gate.url}/mcp`, { method: verb, headers: gate.headers(token(), more), body: message && JSON.stringify({ jsonrpc: '2.0', ...message }),
      signal: AbortSignal.timeout(2000) })
    const hello = await send('POST', { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'stream', version: '1' } } })
    await hello.text()
    const mine = { 'mcp-session-id': hello.headers.get('mcp-session-id'), 'mcp-protocol-version': '2025-11-25' }
    const stream = await send('GET', undefined, { accept: 'text/event-stream', ...mine })
    await stream.text().catch(() => {}) // it is held until the client has enough of it
    count('streams', stream.status)
    await (await send('DELETE', undefined, mine)).text()
  }
  const idles = Array(idle)
  const hold = (i) => {
    const socket = connect(gate.port, '127.0.0.1', () => socket.write(`GET /livez HTTP/1.1\r\nHost: 127.0.0.1:${gate.port}\r\n\r\n`))
    idles[i] = socket.on('error', () => {}).on('data', () => {}).on('close', () => (idles[i] = undefined))
  }
  const head = (length) => `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${gate.port}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n`
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'broken__wide', arguments: {}, _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } })
  const entire = () => `${head(body.length)}Authorization: Bearer ${token()}\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: broken__wide\r\n\r\n${body}`

  return {
    stop: () => idles.forEach((socket) => socket?.destroy()),
    list: [
      { name: 'steady, over HTTP', width: 6, every: 25, act: () => steadily('modern__echo') },
      { name: 'steady, over stdio', width: 4, every: 25, act: () => steadily('steady__echo') },
      { name: 'legacy clients that come and go', width: 2, every: 100, act: async () => count('visits', (await visit(gate, visitor.id, 'legacy__echo', 5)) === 5 ? 'ok' : 'failed') },
      { name: 'streams', width: 3, every: 200, act: legacyStream },
      { name: 'reloads', width: 1, every: 3000, act: async () => {
        if (++number % 2) gate.daemon.kill('SIGHUP')
        else count('reloads', (await gate.operator('POST', '/reload', {})).status)
      } },
      { name: 'rude servers over stdio', width: 2, every: 300, act: async () => {
        const [how, args] = Object.entries(RUDE)[number++ % Object.keys(RUDE).length]
        count(`rude ${how}`, code(await gate.call(token(), `rude__${how}`, args, fresh)))
      } },
      { name: '100 MB over stdio', width: 1, every: 5000, act: async () => count('100 MB', code(await gate.call(token(), 'giant__huge', { mb: 100 }, fresh))) },
      { name: 'servers that are killed', width: 1, every: 5000, act: async () => {
        const { json } = await gate.call(token(), `${VICTIMS[number++ % VICTIMS.length]}__pid`, {}, fresh)
        const pid = Number(json.result?.content[0].text)
        if (pid > 1) process.kill(pid, 'SIGKILL')
        count('kills', pid > 1 ? 'ok' : code({ json }))
      } },
      { name: 'broken servers over HTTP', width: 2, every: 200, act: async () => {
        const how = BROKEN[number++ % BROKEN.length]
        count(`broken ${how}`, code(await gate.call(token(), `broken__${how}`, {}, fresh)))
      } },
      { name: 'slow heads', width: 20, every: 100, act: async () => count('slow heads', await speak(gate.port, [...head(10)], { pause: 500, ms: 30000 })) },
      { name: 'slow bodies', width: 20, every: 100, act: async () => count('slow bodies', await speak(gate.port, [`${head(60)}\r\n`, ...'{"jsonrpc":"2.0"'.repeat(4)], { pause: 1000, ms: 60000 })) },
      { name: 'slow readers', width: 10, every: 100, act: async () => count('slow readers', await speak(gate.port, Array.from({ length: 20 }, entire), { pause: 20, ms: 5000, reads: false })) },
      { name: 'malformed requests', width: 3, every: 50, act: async () => count('malformed', await speak(gate.port, [MALFORMED[number++ % MALFORMED.length]], { ms: 500 })) },
      { name: 'clients that vanish', width: 3, every: 50, act: () => gate.call(token(), 'patient__late', { ms: 800 }, { ...fresh, signal: AbortSignal.timeout(5 + Math.ceil(Math.random() * 50)) }).then((a) => count('vanished', code(a)), () => count('vanished', 'left')) },
      { name: 'who only holds a connection', width: 1, every: 1000, act: async () => {
        // A few at a time: all at once they would also be closed at once, a minute later, just when somebody counts.
        for (let i = 0, some = Math.ceil(idle / 20); i < idle && some; i++) if (!idles[i]) hold(i), some--
      } },
      ...more,
    ],
  }
}
