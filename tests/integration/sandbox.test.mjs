// What a program behind the gate can reach: a server that tries, and says what came of it.
// areas: sandbox, connect
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DOORWARD, startGate, until } from './lib/gate.mjs'

const probe = (more = {}) => ({
  command: ['python3', join(dirname(fileURLToPath(import.meta.url)), 'lib/probe_server.py')], ...more })
const dir = mkdtempSync(join(tmpdir(), 'doorward-box-'))
const at = (...names) => join(dir, ...names)
let gate, tools, token, tcp, udp, unix, enforced

// What the tool says came of it.
const tries = async (server, tool, args = {}) => {
  const { json, text } = await gate.call(token, `${server}__${tool}`, args)
  assert.ok(json?.result, text)
  return json.result.content[0].text
}
const missing = (what) => !enforced.includes(what) && `skipped: not there: this kernel cannot enforce ${what}`
const listening = (server, where) => new Promise((done) => server.listen(where, () => done(server)))
const servers = () => Object.fromEntries(gate.json(['status']).servers.map((s) => [s.name, s]))

before(async () => {
  for (const name of ['home/.ssh', 'shared', 'books']) mkdirSync(at(name), { recursive: true })
  writeFileSync(at('home/.ssh/id_ed25519'), 'a private key')
  writeFileSync(at('books/one.txt'), 'a book')
  tcp = await listening(createServer((s) => s.end('hello')), { port: 0, host: '127.0.0.1' })
  unix = await listening(createServer((s) => s.end()), at('service.sock'))
  udp = createSocket('udp4')
  await new Promise((done) => udp.bind(0, '127.0.0.1', done))
  gate = await startGate({
    servers: {
      boxed: probe({ read: [at('books')], write: [at('shared')] }),
      online: probe({ network: true }),
      limited: probe({ limits: { memory: '512MiB', open_files: 64, processes: 4000, cpu: '30s' } }),
      free: probe({ sandbox: 'off' }),
    },
    session: { max_tool_calls: 1000, rate: 'none' },
  })
  tools = gate.json(['tools', 'list']).tools.map((t) => t.id)
  token = gate.token(await gate.agent({ allow: tools }))
  enforced = servers().boxed.sandbox.enforced
})

after(async () => {
  await gate?.stop()
  for (const s of [tcp, unix, udp]) s?.close()
  rmSync(dir, { recursive: true, force: true })
})

test('it does its work: programs of the system, pipes, a temporary file in a folder of its own', async () => {
  const done = await tries('boxed', 'work')
  assert.match(done, /^done: pair in /)
  assert.match(await tries('boxed', 'spawn', { command: ['sh', '-c', 'echo $((6 * 7))'] }), /^status 0: 42/)
  assert.match(await tries('boxed', 'read', { path: at('books/one.txt') }), /a book/)
  assert.equal(await tries('boxed', 'write', { path: at('shared/new.txt') }), 'done')
  assert.equal(await tries('boxed', 'rename', { path: at('shared/new.txt'), to: at('shared/old.txt') }), 'done')
  assert.equal(readFileSync(at('shared/old.txt'), 'utf8'), 'written')
  assert.equal(await tries('boxed', 'remove', { path: at('shared/old.txt') }), 'done')
})

test('the gateway\'s keys, record, store, tokens and configuration cannot be opened', async (t) => {
  if (missing('files')) return t.skip(missing('files'))
  const data = join(gate.dir, 'data')
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
  assert.ok(['operator.token', 'doorward.db'].every((name) => files.some((e) => e.name === name)))
  for (const e of [...files.map((e) => join(e.parentPath, e.name)), gate.file])
    assert.equal(await tries('boxed', 'read', { path: e }), 'EACCES', e)
  for (const folder of ['', 'audit', 'keys', 'tmp']) assert.equal(await tries('boxed', 'listing', { path: join(data, folder) }), 'EACCES')
  assert.equal(await tries('boxed', 'write', { path: join(data, 'operator.token') }), 'EACCES')
  assert.match(await tries('free', 'read', { path: join(data, 'operator.token') }), /^done/) // without a box it could
})

test('nor can what a home holds, by name, by a link or by a program that it starts', async (t) => {
  if (missing('files')) return t.skip(missing('files'))
  const key = at('home/.ssh/id_ed25519')
  assert.equal(await tries('boxed', 'read', { path: key }), 'EACCES')
  assert.equal(await tries('boxed', 'read', { path: `${at('shared')}/../home/.ssh/id_ed25519` }), 'EACCES')
  assert.match(await tries('boxed', 'link', { path: key, to: at('shared/key') }), /^(EACCES|EXDEV)$/)
  assert.match(await tries('boxed', 'rename', { path: key, to: at('shared/key') }), /^(EACCES|EXDEV)$/)
  assert.match(await tries('boxed', 'spawn', { command: ['cat', key] }), /^status 1: .*denied/)
  assert.match(await tries('boxed', 'spawn', { command: ['ln', '-s', key, at('shared/way')] }), /^status 0/)
  assert.equal(await tries('boxed', 'read', { path: at('shared/way') }), 'EACCES')
  assert.match(await tries('boxed', 'read', { path: '/etc/shadow' }), /^(EACCES|ENOENT)$/)
})

test('it changes nothing but what it may write', async (t) => {
  if (missing('files')) return t.skip(missing('files'))
  for (const path of [at('books/one.txt'), at('books/two.txt'), at('new.txt'), join(tmpdir(), 'doorward-box-new'), '/usr/new'])
    assert.equal(await tries('boxed', 'write', { path }), 'EACCES', path)
  assert.equal(await tries('boxed', 'remove', { path: at('books/one.txt') }), 'EACCES')
  assert.equal(readFileSync(at('books/one.txt'), 'utf8'), 'a book')
})

test('it has no network: no TCP, no UDP, nothing to listen on, no service behind a Unix socket', async (t) => {
  if (missing('network')) return t.skip(missing('network'))
  assert.equal(await tries('boxed', 'tcp', { port: tcp.address().port }), 'EACCES')
  assert.equal(await tries('boxed', 'tcp', { port: new URL(gate.admin).port }), 'EACCES')
  assert.equal(await tries('boxed', 'udp', { port: udp.address().port }), 'EACCES')
  assert.equal(await tries('boxed', 'listen'), 'EACCES')
  for (const server of ['boxed', 'online']) {
    assert.equal(await tries(server, 'unix', { path: at('service.sock') }), 'EACCES')
    assert.equal(await tries(server, 'datagram_pair', { path: at('service.sock') }), 'EACCES')
  }
  assert.equal(await tries('free', 'unix', { path: at('service.sock') }), 'done')
})

test('network: true lets it connect, send and listen', async () => {
  assert.equal(await tries('online', 'tcp', { port: tcp.address().port }), 'done: hello')
  assert.equal(await tries('online', 'tcp', { port: tcp.address().port, host: 'localhost' }), 'done: hello')
  assert.equal(await tries('online', 'udp', { port: udp.address().port }), 'done')
  assert.match(await tries('online', 'listen'), /^(done|EADDRNOTAVAIL|EAFNOSUPPORT)$/) // where there is no IPv6
})

test('it does not reach into the daemon: no signals, no tracing, none of its memory', async (t) => {
  if (missing('system_calls')) return t.skip(missing('system_calls'))
  const { pid } = gate.daemon
  assert.equal(await tries('boxed', 'trace', { pid }), 'EPERM')
  for (const name of ['mem', 'environ', 'maps']) assert.match(await tries('boxed', 'read', { path: `/proc/${pid}/${name}` }), /^(EACCES|EPERM)$/)
  for (const fd of readdirSync(`/proc/${pid}/fd`)) // among them the store's, the record's and the listeners'
    assert.match(await tries('boxed', 'read', { path: `/proc/${pid}/fd/${fd}` }), /^(EACCES|EPERM|ENOENT)$/, fd)
  if (missing('signals')) return t.diagnostic(missing('signals'))
  assert.equal(await tries('boxed', 'kill', { pid }), 'EPERM')
  assert.match(await tries('boxed', 'spawn', { command: ['sh', '-c', `kill -KILL ${pid}`] }), /^status 1/)
})

test('system calls that lead out of a box are refused', async (t) => {
  if (missing('system_calls')) return t.skip(missing('system_calls'))
  for (const tool of ['namespace', 'ring']) assert.equal(await tries('boxed', tool), 'EPERM', tool)
  assert.equal(await tries('boxed', 'mount', { path: at('shared') }), 'EPERM')
  const { NoNewPrivs, Seccomp, CapEff } = JSON.parse(await tries('boxed', 'self'))
  assert.deepEqual([NoNewPrivs, Seccomp], ['1', '2'])
  assert.equal(BigInt(`0x${CapEff}`) >> 5n, 0n) // as root: what is about files' owners and permissions, and no more
})

test('its bounds are those of the configuration, from its first instruction', async () => {
  assert.deepEqual(JSON.parse(await tries('limited', 'limits')),
    { memory: [512 << 20, 512 << 20], open_files: [64, 64], processes: [4000, 4000], cpu: [30, 30] })
})

test('each process has a folder for temporary files of its own, and it goes with the process', async () => {
  const folders = () => readdirSync(join(gate.dir, 'data/tmp'))
  const other = gate.open(await gate.agent({ allow: tools }))
  const mine = (await tries('boxed', 'work')).split(' in ')[1]
  const its = (await gate.call(other.access_token, 'boxed__work', {})).json.result.content[0].text.split(' in ')[1]
  assert.notEqual(mine, its)
  assert.equal(dirname(mine), join(gate.dir, 'data/tmp'))
  await gate.call(other.access_token, 'boxed__spawn', { command: ['sh', '-c', `mkdir -p ${its}/a/b && ln -s ${at('books')} ${its}/a/way && chmod 0 ${its}/a/b`] })
  if (enforced.includes('files')) assert.equal(await tries('boxed', 'listing', { path: its }), 'EACCES')
  gate.cli(['session', 'end', '-c', gate.file, other.sessionId])
  await until('its folder to go', () => !existsSync(its))
  assert.ok(folders().length && existsSync(mine))
  assert.equal(readFileSync(at('books/one.txt'), 'utf8'), 'a book') // a link was removed, not followed
})

test('status names what is enforced for whom', async () => {
  const all = servers()
  assert.deepEqual(all.boxed.sandbox, { mode: 'on', enforced, network: false, read: [at('books')], write: [at('shared')] })
  assert.equal(all.online.sandbox.network, true)
  assert.deepEqual([all.free.sandbox.mode, all.free.sandbox.enforced], ['off', []])
  assert.match(gate.cli(['status', '-c', gate.file]).stdout, /SANDBOX[\s\S]*boxed .*on[\s\S]*free .*off/)
})

test('what a server may use and the gateway\'s data lie apart, or the configuration is refused', () => {
  const check = (server) => {
    const file = at('doorward.yaml')
    writeFileSync(file, JSON.stringify({ data_dir: at('gate/data'), servers: { s: { command: ['true'], ...server } } }))
    const r = spawnSync(DOORWARD, ['config', 'check', '-c', file], { encoding: 'utf8' })
    return r.status === 0 ? 'right' : r.stdout
  }
  assert.match(check({ read: ['gate'] }), /servers\.s\.read\[0\]: .*data_dir/)
  assert.match(check({ write: ['/'] }), /servers\.s\.write\[0\]: .*data_dir/)
  assert.match(check({ write: ['gate/data/keys'] }), /servers\.s\.write\[0\]: .*data_dir/)
  mkdirSync(at('gate'))
  symlinkSync(at('gate'), at('way'))
  assert.match(check({ read: ['way'] }), /servers\.s\.read\[0\]: .*data_dir/)
  assert.equal(check({ read: ['gatehouse'], write: ['shared'] }), 'right')
  assert.equal(check({ read: ['/'], sandbox: 'off' }), 'right')
  if (enforced.length === 4) assert.equal(check({ sandbox: 'strict' }), 'right')
  else assert.match(check({ sandbox: 'strict' }), /cannot enforce/)
  assert.match(check({ command: undefined, url: 'http://127.0.0.1:1/mcp', network: true }), /go with command/)
})

test('a declared path that is not there: the server is down and says which', async () => {
  gate.config.servers.lost = probe({ read: [at('nowhere')] })
  gate.write()
  gate.cli(['reload', '-c', gate.file])
  await until('its fault', () => servers().lost?.fault.includes(at('nowhere')))
})
