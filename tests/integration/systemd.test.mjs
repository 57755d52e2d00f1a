// Under a service manager: sockets that it opened, what it is told, and the unit that ships.
// areas: daemon, systemd
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { DESK, TOP, startGate, until } from './lib/gate.mjs'
import { childrenOf } from './lib/proc.mjs'

let gate
afterEach(async () => gate?.stop('SIGKILL'))

const under = (...options) => ['python3', join(TOP, 'tests/integration/lib/manager.py'), ...options]
// A start that fails leaves its memory to the end of the process.
const unfinished = ['env', 'ASAN_OPTIONS=detect_leaks=0']
const start = (config, ...options) => startGate({ servers: { desk: DESK }, ...config }, { through: under(...options) })
const told = () => (existsSync(join(gate.dir, 'notify.log')) ? readFileSync(join(gate.dir, 'notify.log'), 'utf8') : '')
  .split('\n').filter(Boolean).map((l) => JSON.parse(l))
const saying = (line) => told().filter((d) => d.lines.includes(line))
const hears = (line, times = 1) => until(`${line} to be told`, () => saying(line).length >= times)

test('the manager hears once when calls are taken, and when the daemon stops', async () => {
  gate = await start({})
  await hears('READY=1')
  assert.deepEqual(told().map((d) => d.lines), [['READY=1', 'STATUS=serves 6 tools']])
  gate.daemon.kill('SIGTERM')
  await hears('STOPPING=1')
  assert.deepEqual(await gate.exited, { code: 0, signal: null })
})

test('a reload is told before it begins and when it is over, with faults too', async () => {
  gate = await start({})
  await hears('READY=1')
  for (const [round, change] of [{ session: { max_tool_calls: 7 } }, { nonsense: 1 }, { nonsense: undefined }].entries()) {
    gate.write(change)
    gate.daemon.kill('SIGHUP')
    await hears('READY=1', round + 2)
    const [begun, over] = told().slice(-2)
    assert.equal(begun.lines[0], 'RELOADING=1')
    const at = Number(/^MONOTONIC_USEC=(\d+)$/.exec(begun.lines[1])[1])
    assert.ok(begun.at - at >= 0 && begun.at - at < 5e6, `${begun.at} ${at}`)
    assert.equal(over.lines[0], 'READY=1')
    assert.match(over.lines[1], change.nonsense ? /faults/ : /read again/)
  }
  assert.equal((await gate.operator('POST', '/reload')).status, 200)
  await hears('READY=1', 5)
  assert.equal(saying('RELOADING=1').length, 4)
})

test('the watchdog is fed well within its time', async () => {
  gate = await start({ workers: 2 }, '--watchdog', '1000')
  await hears('WATCHDOG=1', 5)
  const at = saying('WATCHDOG=1').map((d) => d.at)
  for (let i = 1; i < at.length; i++) assert.ok(at[i] - at[i - 1] < 1000e3, `${at[i] - at[i - 1]} us between two`)
})

test('sockets of the manager are served, by every worker, and no server inherits them', async () => {
  gate = await start({ workers: 2 }, '--sockets', 'operators,agents')
  const agent = await gate.agent({ allow: ['desk/search_faq'] })
  const access = gate.token(agent)
  for (let i = 0; i < 8; i++) {
    const { json } = await gate.call(access, 'desk__search_faq', { query: 'return' }, { headers: { connection: 'close' } })
    assert.ok(json.result.content.length)
  }
  assert.equal((await gate.operator('GET', '/status')).json.ready, true)
  // The manager's copy is still there: whoever connects while nobody serves waits instead of being refused.
  const inode = (pid, fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)
  const ours = [3, 4].map((fd) => inode(gate.daemon.pid, fd))
  assert.ok(ours.every((s) => s.startsWith('socket:')))
  const servers = childrenOf(gate.daemon.pid).map((c) => c.pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('server.py'))
  assert.ok(servers.length > 0)
  for (const pid of servers)
    for (const fd of readdirSync(`/proc/${pid}/fd`)) assert.ok(!ours.includes(inode(pid, fd)), `server ${pid} has ${fd}`)
})

test('who connected before the daemon ran is answered', async () => {
  gate = await startGate({ servers: { desk: DESK } }, { through: [...under('--sockets', 'agents'), '/bin/sh', '-c', 'sleep 0.5; exec "$0" "$@"'], waitReady: false })
  const early = await until('the socket', () => new Promise((done, fail) => {
    const s = connect(gate.port, '127.0.0.1', () => done(s)).on('error', fail)
  }))
  early.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
  let text = ''
  for await (const piece of early) text += piece
  assert.match(text, /^HTTP\/1\.1 200 [^]*\{"live":true\}$/)
})

test('sockets for another process are left alone', async () => {
  gate = await startGate({ servers: { desk: DESK } }, { through: [...unfinished, ...under('--sockets', 'operators', '--pid', '1')], waitReady: false })
  assert.equal((await gate.exited).code, 1) // the address is taken
  assert.match(gate.log, /cannot listen on/)
})

test('a socket of an unknown name stops the start, and says what it must be called', async () => {
  gate = await startGate({ servers: { desk: DESK } }, { through: [...unfinished, ...under('--sockets', 'doorward.socket')], waitReady: false })
  assert.equal((await gate.exited).code, 1)
  assert.match(gate.log, /FileDescriptorName= must be agents or operators/)
})

test('the unit that ships leaves little open', (t) => {
  const tool = spawnSync('systemd-analyze', ['--version'])
  if (tool.error) return t.skip('skipped: not there: systemd-analyze')
  const unit = join(TOP, 'packaging/systemd/doorward.service')
  const r = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=15', unit], { encoding: 'utf8' })
  const exposure = Number(/exposure level for doorward\.service: ([\d.]+)/.exec(r.stdout)?.[1])
  assert.ok(exposure <= 1.5, `${r.stdout}${r.stderr}`)
  assert.ok(!/Unknown|Failed to parse/.test(r.stderr), r.stderr)
})
