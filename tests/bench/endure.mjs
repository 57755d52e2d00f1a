// ./dev bench endure [ROUNDS]: how a gate bears up against its servers. In each round a hundred processes are killed and come back,
// thirty flood, some answer twice, late, never, with garbage and with 100 MB, and thirty thousand calls go through stdio and HTTP;
// ten thousand of them are made by a thousand legacy clients that come, open sessions here and at their server, and go.
// (A process that is killed within 30 seconds of its start is restarted later each time: so grows `all back`.)
// Between the rounds stands what the daemon holds, as the kernel counts it, and the sessions that are open with us and at the legacy
// server: it must not grow. (That a session was ended is remembered for a minute beyond its lifetime, so that its token is told so;
// the memory levels off when the first of them are forgotten.)
import { startGate, until } from '../integration/lib/gate.mjs'
import { figures } from '../integration/lib/proc.mjs'
import { startServer } from '../integration/lib/servers.mjs'
import { each, swarm, visit } from '../integration/lib/swarm.mjs'

const rounds = Number(process.argv[2] ?? 5)
const SWARM = Array.from({ length: 100 }, (_, i) => `s${i}`)
const RUDE = [['twice', {}], ['strangers', {}], ['garbage', {}], ['late', { ms: 1500 }], ['never', {}], ['huge', { mb: 100 }]]

const modern = await startServer('modern_server.mjs', { mode: ['--json'] })
const legacy = await startServer('legacy_server.mjs')
const gate = await startGate({
  servers: { ...Object.fromEntries(SWARM.map((name) => [name, swarm()])), rude: { ...swarm(), timeout: '1s' },
             modern: { url: modern.url }, legacy: { url: legacy.url, isolation: 'session' } },
  agents: { max_concurrent_sessions: 1000 },
  session: { max_tool_calls: 100000000, rate: '100000000/minute' },
})
await until('all servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'), 60000)
const { access_token: token } = gate.open(await gate.agent({ allow: [
  ...SWARM.map((name) => `${name}/pid`), ...SWARM.slice(0, 30).flatMap((name) => [`${name}/echo`, `${name}/flood`]),
  ...RUDE.map(([how]) => `rude/${how}`), 'modern/echo'] }))

const visitor = await gate.agent({ id: 'visitor', allow: ['legacy/echo'] })

const answer = async (name, args = {}) => {
  const { json } = await gate.call(token, name, args)
  return json.result?.content[0].text ?? json.error.data.code
}

async function killAll() {
  const pids = await each(SWARM, (name) => answer(`${name}__pid`))
  for (const pid of pids) if (/^\d+$/.test(pid)) process.kill(Number(pid), 'SIGKILL')
  const start = Date.now()
  await each(SWARM, (name) => until(`${name} to come back`, async () => {
    const pid = await answer(`${name}__pid`)
    return /^\d+$/.test(pid) && !pids.includes(pid)
  }, 60000), 100)
  return `${((Date.now() - start) / 1000).toFixed(1)} s`
}

async function rate(names, count) {
  const start = Date.now()
  let failed = 0
  await each(Array.from({ length: count }, (_, i) => names[i % names.length]), async (name) => {
    if ((await answer(`${name}__echo`, { text: name })) !== name) failed++
  }, 32)
  return `${Math.round(count / (Date.now() - start) * 1000)}/s${failed ? ` (${failed} FAILED)` : ''}`
}

async function visits(count) {
  const start = Date.now()
  const answered = await each(Array(count).fill(visitor.id), (id) => visit(gate, id, 'legacy__echo', 10), 32)
  const failed = answered.reduce((sum, n) => sum + 10 - n, 0)
  return `${Math.round(count * 10 / (Date.now() - start) * 1000)}/s${failed ? ` (${failed} FAILED)` : ''}`
}

const leases = () => gate.json(['session', 'list']).sessions.length
const held = async () => (await fetch(`http://127.0.0.1:${legacy.port}/sessions`)).text()

const row = (...cells) => console.log(cells.map((c) => String(c).padStart(10)).join(''))
const show = async (round, ...cells) => {
  const is = figures(gate.daemon.pid)
  row(round, ...cells, leases(), await held(), is.fds, is.children, is.zombies, is.rss, is.peak)
}

row('round', 'all back', 'stdio', 'http', 'legacy', 'leases', 'theirs', 'fds', 'children', 'zombies', 'MiB', 'peak MiB')
await show('start', '', '', '', '')
try {
  for (let round = 1; round <= rounds; round++) {
    const back = await killAll()
    await each(SWARM.slice(0, 30), (name) => answer(`${name}__flood`, { ms: 1000 }), 30)
    for (const [how, args] of RUDE) await each(Array(5).fill(how), () => answer(`rude__${how}`, args))
    const stdio = await rate(SWARM.slice(0, 30), 10000)
    const http = await rate(['modern'], 10000)
    const visited = await visits(1000)
    await new Promise((done) => setTimeout(done, 6000)) // connections of ours that rest are closed
    await show(round, back, stdio, http, visited)
  }
} finally {
  await Promise.all([gate.stop(), modern.stop(), legacy.stop()])
}
