// ./dev soak [SECONDS] [--json] [--idle N]: everything at once, against one daemon (tests/bench/soak_actors.mjs says who comes, and
// soak_record.mjs who reads the record).
// Every ten seconds a line: what the daemon holds as the kernel counts it, the latency of the steady calls, and what went wrong.
// At the end a verdict: a line is fitted through the second half of each figure, and none of them may rise by more than GROWTH
// says; no steady call may fail; whoever reads the record has all of it; the daemon ends cleanly, and its record verifies. Exit 1
// when one of these does not hold.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from '../integration/lib/gate.mjs'
import { figures } from '../integration/lib/proc.mjs'
import { startServer } from '../integration/lib/servers.mjs'
import { swarm } from '../integration/lib/swarm.mjs'
import { actors, BROKEN, RUDE, startBroken, VICTIMS } from './soak_actors.mjs'
import { startReaders } from './soak_record.mjs'

const option = (name, fallback) => process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : fallback
const seconds = Number(/^\d+$/.test(process.argv[2]) ? process.argv[2] : 600)
const asJson = process.argv.includes('--json')
const idle = option('--idle', 3000)
const SAMPLE = 10

// By how much each figure may rise over the second half, by the line that fits it best. What actors hold at one time varies.
const GROWTH = { mib: 6, fds: 60, threads: 0.5, children: 3, zombies: 1 }

const modern = await startServer('modern_server.mjs', { mode: ['--json'] })
const legacy = await startServer('legacy_server.mjs')
const broken = await startBroken()
const readers = await startReaders()
const gate = await startGate({
  ...readers.config, servers: {
    modern: { url: modern.url }, legacy: { url: legacy.url, isolation: 'session' }, steady: { ...swarm(), isolation: 'gateway' },
    rude: { ...swarm(), timeout: '1s' }, giant: swarm(), patient: swarm(), broken: { url: broken.url, timeout: '1s' },
    ...Object.fromEntries(VICTIMS.map((name) => [name, swarm()])),
  },
  agents: { max_concurrent_sessions: 1000 }, session: { max_tool_calls: 100000000, rate: 'none', max_streams: 100 },
  token: { lifetime: '2m' }, log: { level: 'error' },
})
await until('all servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'), 30000)
const agent = await gate.agent({ id: 'steady', allow: ['modern/echo', 'steady/echo', 'giant/huge', 'patient/late', 'broken/wide', ...VICTIMS.map((v) => `${v}/pid`),
  ...Object.keys(RUDE).map((how) => `rude/${how}`), ...BROKEN.map((how) => `broken/${how}`)] })
const visitor = await gate.agent({ id: 'visitor', allow: ['legacy/echo'] })
readers.begin(gate)

let token = gate.open(agent).access_token
const renewal = setInterval(async () => {
  const { json } = await gate.operator('POST', '/sessions', { agentId: agent.id }).catch(() => ({}))
  token = json?.access_token ?? token
}, 60000)

const total = {}, failures = {}
let took = []
const add = (where, what) => (where[what] = (where[what] ?? 0) + 1)
const count = (what, outcome) => add(total[what] ??= {}, outcome)
const door = actors({ gate, agent, visitor, token: () => token, idle,
  steady: (ms, failure) => {
    took.push(ms)
    if (failure) add(failures, failure)
  },
  count, more: readers.actors({ gate, agent, count }) })

let going = true
async function play({ name, every, act }) {
  while (going) {
    await act().catch((e) => going && (name.startsWith('steady') ? add(failures, e.cause?.code ?? e.message) : add(total[name] ??= {}, e.cause?.code ?? e.name)))
    await sleep(every)
  }
}

// The middle one of the ten seconds: 100 MB that pass through in one of them are no growth.
const status = (what) => Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${gate.daemon.pid}/status`, 'utf8'))[1])
let resident = []
const watch = setInterval(() => gate.daemon.exitCode === null && !gate.daemon.signalCode && resident.push(status('VmRSS')), 1000)

function sample(at) {
  const is = figures(gate.daemon.pid), mib = [...resident, status('VmRSS')].sort((a, b) => a - b)
  const sorted = took.sort((a, b) => a - b), n = sorted.length
  took = []
  resident = []
  return { at, mib: mib[mib.length >> 1] / 1024, fds: is.fds, threads: status('Threads'),
           children: is.children, zombies: is.zombies, perSecond: Math.round(n / SAMPLE), p50: sorted[n >> 1] ?? 0, p99: sorted[Math.floor(n * 0.99)] ?? 0,
           failed: { ...failures } }
}

const row = (cells) => console.log(cells.map((c, i) => (i < 9 ? String(c).padStart(9) : `  ${c}`)).join(''))
function show(s) {
  if (asJson) return console.log(JSON.stringify(s))
  row([`${s.at} s`, s.mib.toFixed(1), s.fds, s.threads, s.children, s.zombies, s.perSecond, s.p50.toFixed(1), s.p99.toFixed(1),
       Object.entries(s.failed).map(([code, n]) => `${code} ${n}`).join(', ')])
}

// Least squares: what the figure rises by from the first to the last of these samples.
function rise(samples, figure) {
  const n = samples.length, mx = samples.reduce((s, x) => s + x.at, 0) / n, my = samples.reduce((s, x) => s + x[figure], 0) / n
  const over = samples.reduce((s, x) => s + (x.at - mx) * (x[figure] - my), 0), under = samples.reduce((s, x) => s + (x.at - mx) ** 2, 0)
  return under ? over / under * (samples.at(-1).at - samples[0].at) : 0
}

if (!asJson) row(['', 'MiB', 'fds', 'threads', 'children', 'zombies', 'calls/s', 'p50 ms', 'p99 ms', 'steady calls that failed'])
const playing = door.list.flatMap((actor) => Array.from({ length: actor.width }, () => play(actor)))
const samples = []
for (let at = SAMPLE; at <= seconds; at += SAMPLE) {
  await sleep(SAMPLE * 1000)
  if (gate.daemon.exitCode !== null || gate.daemon.signalCode) break
  samples.push(sample(at))
  show(samples.at(-1))
}
going = false
clearInterval(renewal)
clearInterval(watch)
const verdict = []
const judge = (what, holds, is) => verdict.push({ what, holds, is })
judge('the daemon is there to the end', gate.daemon.exitCode === null && !gate.daemon.signalCode, gate.daemon.signalCode ?? 'it is')
judge('no steady call failed', Object.keys(failures).length === 0, JSON.stringify(failures))
const half = samples.slice(samples.length >> 1)
for (const [figure, most] of Object.entries(GROWTH))
  judge(`${figure}: the second half rises by ${most} at most`, half.length < 3 || rise(half, figure) <= most, half.length < 3 ? 'too short to say' : rise(half, figure).toFixed(2))
door.stop()
await Promise.race([Promise.allSettled(playing), sleep(70000)])
await sleep(2000)
if (verdict[0].holds) for (const [what, holds, is] of await readers.verdict(gate)) judge(what, holds, is)
const rest = verdict[0].holds ? sample('end') : undefined
gate.daemon.kill('SIGTERM')
const how = await gate.exited
judge('it ends cleanly', how.code === 0, `exit ${how.code ?? how.signal}`)
const record = gate.cli(['audit', 'verify', '--dir', join(gate.dir, 'data/audit')], { ok: false })
judge('its record verifies', record.status === 0, (record.stdout + record.stderr).trim().split('\n').at(-1))
await gate.stop()
await readers.stop()
if (gate.log) console.error(`\nthe last errors in its log\n${gate.log.split('\n').slice(-6).join('\n')}`)
judge('nobody is left at the end', !rest || rest.fds < 100, rest ? `${rest.fds} descriptors, ${rest.mib.toFixed(1)} MiB` : '')
modern.stop() // not waited for: they keep no process running
legacy.stop()

if (asJson) console.log(JSON.stringify({ outcomes: total, verdict }))
else {
  console.log('\nwhat came of it, of each kind')
  for (const [what, outcomes] of Object.entries(total)) console.log(`  ${what.padEnd(24)} ${Object.entries(outcomes).map(([code, n]) => `${code} ${n}`).join(', ')}`)
  console.log('\nverdict')
  for (const { what, holds, is } of verdict) console.log(`  ${holds ? 'holds' : 'FAILS'}  ${what}: ${is}`)
}
process.exit(verdict.every((v) => v.holds) ? 0 : 1)
