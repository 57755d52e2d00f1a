// Servers that die, hang or talk nonsense: each hides its own tools only, the others go on, and it comes back by itself.
// areas: execute, connect
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { DESK, freePort, startGate, until } from './lib/gate.mjs'
import { rude, startServer } from './lib/servers.mjs'

const WAYS = ['crash', 'kill', 'hang', 'garbage', 'strangers', 'longline', 'flood', 'closes', 'talks']
let gate, agent, token, port, http

before(async () => {
  port = await freePort() // nobody listens there yet
  gate = await startGate({
    workers: 3,
    servers: { desk: DESK, late: { url: `http://127.0.0.1:${port}/mcp` }, missing: { command: ['/nonexistent/server'] },
               ends: { command: ['false'] }, ...Object.fromEntries(WAYS.map((how) => [how, { ...rude(how), timeout: ['hang', 'flood'].includes(how) ? '1s' : '15s' }])),
               limited: { ...rude('talks'), env: { WORD: 'given' }, limits: { open_files: 64, cpu: '10s' } } },
    session: { max_tool_calls: 1000, rate: '10000/minute' },
    limits: { result_bytes: '1MiB' },
  })
  agent = await gate.agent({ allow: ['desk/search_faq', 'late/echo', 'missing/call', 'limited/fine', 'limited/call',
                                     ...WAYS.flatMap((how) => [`${how}/call`, `${how}/fine`])] })
  token = gate.token(agent)
})

after(async () => {
  await gate?.stop()
  await http?.stop()
})

const names = async () => (await gate.modern(token, 'tools/list')).json.result.tools.map((t) => t.name)
const deskWorks = async () => {
  const { json } = await gate.call(token, 'desk__search_faq', { query: 'return policy' })
  assert.match(json.result.content[0].text, /30 days/)
}
const outcome = () => until('the outcome', () => gate.audit().filter((e) => e.event === 'TOOL_RESULT').at(-1))
const fails = async (how) => {
  const { json } = await gate.call(token, `${how}__call`, {})
  assert.ok(json.error, JSON.stringify(json))
  return json.error
}
// Its process was started again, maybe after a while of back-off.
const comesBack = (how) => until(`${how} to come back`, async () =>
  (await gate.call(token, `${how}__fine`, {})).json.result?.content[0].text)
const processes = () => execFileSync('ps', ['--ppid', String(gate.daemon.pid), '-o', 'pid=,pgid=,stat=,args='], { encoding: 'utf8' })
  .trim().split('\n').map((l) => {
    const [pid, pgid, stat, ...args] = l.trim().split(/\s+/)
    return { pid: Number(pid), pgid: Number(pgid), stat, args: args.join(' ') }
  })

test('servers that are dead from the start hide their own tools only, and say why they are down', async () => {
  const listed = await names()
  assert.ok(listed.includes('desk__search_faq') && listed.includes('crash__fine'))
  assert.ok(!listed.some((n) => /^(late|missing|ends)__/.test(n)))
  await deskWorks()
  const down = Object.fromEntries(gate.json(['status']).servers.filter((s) => s.state !== 'up').map((s) => [s.name, s.fault]))
  assert.deepEqual(Object.keys(down), ['ends', 'late', 'missing'])
  assert.match(down.missing, /\/nonexistent\/server/)
  assert.match(down.ends, /status 1/)
  const { json } = await gate.call(token, 'late__echo', { text: 'hi' })
  assert.equal(json.error.data.code, 'upstream_unavailable')
})

test('a server that comes up later brings its tools by itself; when it dies they go, and come back with it', async () => {
  http = await startServer('modern_server.mjs', { port })
  await until('its tools', async () => (await names()).includes('late__echo'), 20000)
  assert.equal((await gate.call(token, 'late__echo', { text: 'hi' })).json.result.content[0].text, 'hi')
  await http.stop()
  const { json } = await gate.call(token, 'late__echo', { text: 'hi' })
  assert.equal(json.error.data.code, 'upstream_unavailable')
  await until('its tools to go', async () => !(await names()).includes('late__echo'))
  await deskWorks()
  http = await startServer('modern_server.mjs', { port })
  await until('its tools', async () => (await names()).includes('late__echo'), 20000)
  assert.equal((await gate.call(token, 'late__echo', { text: 'again' })).json.result.content[0].text, 'again')
})

for (const [how, words] of [['crash', /status 3/], ['kill', /signal 9/], ['closes', /process/]]) {
  test(`a process that ends in the middle of a call (${how}): the outcome is unknown, the next call has a new process`, async () => {
    const error = await fails(how)
    assert.equal(error.data.code, 'upstream_unavailable')
    assert.match(error.message, words)
    assert.equal((await outcome()).result, 'unknown')
    await deskWorks()
    await comesBack(how)
  })
}

test('a call that hangs ends with its time; other calls to the same process go on', async () => {
  const hanging = fails('hang')
  assert.ok((await gate.call(token, 'hang__fine', {})).json.result)
  const error = await hanging
  assert.equal(error.data.code, 'upstream_timeout')
  assert.ok((await gate.call(token, 'hang__fine', {})).json.result)
})

test('lines that are no messages, and answers to nobody, are passed over', async () => {
  const garbage = await gate.call(token, 'garbage__call', {})
  assert.equal(garbage.json.result.content[0].text, 'after garbage')
  const strangers = await gate.call(token, 'strangers__call', {})
  assert.equal(strangers.json.result.content[0].text, 'the right one')
  assert.ok((await gate.call(token, 'strangers__fine', {})).json.result)
})

test('a modern server asks by its result alone, and logs for those who want lines: what it sends otherwise reaches nobody', async () => {
  const { json, text } = await gate.call(token, 'strangers__call', {}, { meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } } })
  assert.equal(json.result.content[0].text, 'the right one')
  assert.doesNotMatch(text, /Your name|nobody asked/)
})

test('a line over the bound ends the process, with a word about it', async () => {
  const error = await fails('longline')
  assert.match(error.message, /longer than|larger than|over/)
  assert.equal((await outcome()).result, 'unknown')
  await comesBack('longline')
})

test('a process that floods its stdout does not stop the gate', async () => {
  const flooding = fails('flood')
  for (let i = 0; i < 20; i++) await deskWorks()
  assert.equal((await flooding).data.code, 'upstream_timeout')
  await deskWorks()
})

test('a process has the environment, the bounds and the group that the configuration gives it; its stderr goes to the log', async () => {
  const env = JSON.parse((await gate.call(token, 'limited__call', {})).json.result.content[0].text)
  assert.deepEqual(Object.keys(env).sort(), ['HOME', 'PATH', 'TMPDIR', 'WORD'])
  assert.equal(env.WORD, 'given')
  await until('its word in the log', () => /server_stderr.*a word for the log/.test(gate.log))
  const pid = Number((await gate.call(token, 'limited__fine', {})).json.result.content[0].text)
  assert.match(execFileSync('prlimit', ['--pid', String(pid), '--nofile', '-o', 'SOFT', '--noheadings'], { encoding: 'utf8' }), /64/)
  assert.equal(processes().find((p) => p.pid === pid).pgid, pid)
})

test('each agent has a process of its own, and it ends with the agent\'s last session', async () => {
  const other = await gate.agent({ allow: ['talks/fine'] })
  const session = gate.open(other)
  const mine = (await gate.call(token, 'talks__fine', {})).json.result.content[0].text
  const its = (await gate.call(session.access_token, 'talks__fine', {})).json.result.content[0].text
  assert.notEqual(mine, its)
  assert.equal((await gate.call(token, 'talks__fine', {})).json.result.content[0].text, mine)
  gate.cli(['session', 'end', '-c', gate.file, session.sessionId])
  await until('its process to end', () => !processes().some((p) => p.pid === Number(its)))
  assert.ok(processes().some((p) => p.pid === Number(mine)))
})

test('nothing stays behind: no zombies while it runs, no processes after it', async () => {
  assert.deepEqual(processes().filter((p) => p.stat.startsWith('Z')), [])
  const pids = processes().map((p) => p.pid)
  const how = await gate.stop()
  gate = null
  assert.equal(how.code, 0)
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
