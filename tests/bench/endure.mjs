// ./dev bench endure [ROUNDS]: how a gate bears up against its servers. In each round a hundred processes are killed and come back,
// thirty flood, some answer twice, late, never, with garbage and with 100 MB, and twenty thousand calls go through stdio and HTTP.
// (A process that is killed within 30 seconds of its start is restarted later each time: so grows `all back`.)
// Between the rounds stands what the daemon holds, as the kernel counts it: it must not grow.
import { startGate, until } from '../integration/lib/gate.mjs'
import { figures } from '../integration/lib/proc.mjs'
import { startServer } from '../integration/lib/servers.mjs'
import { each, swarm } from '../integration/lib/swarm.mjs'

const rounds = Number(process.argv[2] ?? 5)
const SWARM = Array.from({ length: 100 }, (_, i) => `s${i}`)
const RUDE = [['twice', {}], ['strangers', {}], ['garbage', {}], ['late', { ms: 1500 }], ['never', {}], ['huge', { mb: 100 }]]

const modern = await startServer('modern_server.mjs', { mode: ['--json'] })
const gate = await startGate({
  servers: { ...Object.fromEntries(SWARM.map((name) => [name, swarm()])), rude: { ...swarm(), timeout: '1s' },
             modern: { url: modern.url } },
  session: { max_tool_calls: 100000000, rate: '100000000/minute' },
})
await until('all servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'), 60000)
const { access_token: token } = gate.open(await gate.agent({ allow: [
  ...SWARM.map((name) => `${name}/pid`), ...SWARM.slice(0, 30).flatMap((name) => [`${name}/echo`, `${name}/flood`]),
  ...RUDE.map(([how]) => `rude/${how}`), 'modern/echo'] }))

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

const row = (...cells) => console.log(cells.map((c) => String(c).padStart(10)).join(''))
const show = (round, ...cells) => {
  const is = figures(gate.daemon.pid)
  row(round, ...cells, is.fds, is.children, is.zombies, is.rss, is.peak)
}

row('round', 'all back', 'stdio', 'http', 'fds', 'children', 'zombies', 'MiB', 'peak MiB')
show('start', '', '', '')
try {
  for (let round = 1; round <= rounds; round++) {
    const back = await killAll()
    await each(SWARM.slice(0, 30), (name) => answer(`${name}__flood`, { ms: 1000 }), 30)
    for (const [how, args] of RUDE) await each(Array(5).fill(how), () => answer(`rude__${how}`, args))
    const stdio = await rate(SWARM.slice(0, 30), 10000)
    const http = await rate(['modern'], 10000)
    await new Promise((done) => setTimeout(done, 6000)) // connections of ours that rest are closed
    show(round, back, stdio, http)
  }
} finally {
  await Promise.all([gate.stop(), modern.stop()])
}
